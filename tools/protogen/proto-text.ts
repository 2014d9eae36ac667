/** Reads field numbers and names out of .proto files: no types, no options, no imports. */

/** Field names by number, by the full name of the message. */
export type FieldNames = Map<string, Map<number, string>>;

const token = /\/\/[^\n]*|\/\*[^]*?\*\/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[\w.]+|[^\s\w]/g;

/** Adds what `text` defines to `names`. */
export function readProtoText(text: string, names: FieldNames): void {
  const tokens = (text.match(token) ?? []).filter((item) => !item.startsWith('//') && !item.startsWith('/*'));
  let next = 0;
  let scope = '';

  const skipStatement = (): void => {
    let depth = 0;
    for (; next < tokens.length; next++) {
      const item = tokens[next];
      if (item === '{' || item === '[') depth++;
      else if (item === '}' || item === ']') depth--;
      if (depth < 0) return;
      if (depth === 0 && (item === ';' || item === '}')) {
        next++;
        return;
      }
    }
  };

  const readBody = (message: string): void => {
    const fields = names.get(message) ?? new Map<number, string>();
    names.set(message, fields);
    while (next < tokens.length && tokens[next] !== '}') {
      const word = tokens[next]!;
      if (word === 'message') {
        const nested = `${message}.${tokens[next + 1]!}`;
        next += 3;
        readBody(nested);
        next++;
      } else if (word === 'oneof') {
        next += 3;
        readBody(message);
        next++;
      } else if (
        word === 'enum' ||
        word === 'option' ||
        word === 'reserved' ||
        word === 'extensions' ||
        word === ';'
      ) {
        skipStatement();
      } else {
        const equals = tokens.indexOf('=', next);
        fields.set(Number(tokens[equals + 1]), tokens[equals - 1]!);
        next = equals;
        skipStatement();
      }
    }
  };

  while (next < tokens.length) {
    const word = tokens[next]!;
    if (word === 'package') {
      scope = tokens[next + 1]!;
      skipStatement();
    } else if (word === 'message') {
      const message = `${scope}.${tokens[next + 1]!}`;
      next += 3;
      readBody(message);
      next++;
    } else {
      skipStatement();
    }
  }
}
