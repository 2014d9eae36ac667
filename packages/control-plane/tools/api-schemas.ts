// Reads the types of the API as JSON Schemas: the part of TypeScript that they are written in, and nothing else.

type Schema = Record<string, unknown>;

const tokenPattern =
  /\s*(?:(\/\*\*[\s\S]*?\*\/)|(\/\/[^\n]*)|('[^']*')|(\d+)|([A-Za-z_$][\w$]*)|([{}()[\]<>|;:,?=]))/y;

interface Token {
  readonly kind: 'comment' | 'text' | 'number' | 'name' | 'sign';
  readonly text: string;
}

function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  while (source.slice(tokenPattern.lastIndex).trim() !== '') {
    const at = tokenPattern.lastIndex;
    const match = tokenPattern.exec(source);
    if (match === null)
      throw new Error(`cannot read the API's types from here: ${source.slice(at, at + 60)}`);
    const [, comment, line, text, number, name, sign] = match;
    if (comment !== undefined) tokens.push({ kind: 'comment', text: proseOf(comment) });
    else if (text !== undefined) tokens.push({ kind: 'text', text: text.slice(1, -1) });
    else if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else if (line === undefined) throw new Error('unreachable');
  }
  return tokens;
}

function proseOf(comment: string): string {
  const lines = comment.slice(3, -2).split('\n');
  return lines
    .map((text) => text.replace(/^\s*\*? ?/, '').trim())
    .filter(Boolean)
    .join(' ');
}

class Reader {
  readonly schemas: Record<string, Schema> = {};
  private readonly tokens: readonly Token[];
  private at = 0;

  constructor(source: string) {
    this.tokens = tokensOf(source);
  }

  readAll(): Record<string, Schema> {
    while (this.at < this.tokens.length) this.readDeclaration();
    return this.schemas;
  }

  private readDeclaration(): void {
    const description = this.comment();
    if (!this.takes('export')) return;
    const isInterface = this.takes('interface');
    if (!isInterface) this.need('type');
    const name = this.next().text;
    let schema: Schema;
    if (isInterface) {
      const parent = this.takes('extends') ? this.schemas[this.next().text] : undefined;
      schema = this.objectType();
      if (parent !== undefined)
        schema = {
          type: 'object',
          properties: { ...(parent['properties'] as object), ...(schema['properties'] as object) },
          required: [
            ...((parent['required'] ?? []) as string[]),
            ...((schema['required'] ?? []) as string[]),
          ],
        };
    } else {
      this.need('=');
      schema = this.unionType();
      this.need(';');
    }
    this.schemas[name] = description === '' ? schema : { description, ...schema };
  }

  private objectType(): Schema {
    this.need('{');
    const properties: Record<string, Schema> = {};
    const required: string[] = [];
    while (!this.takes('}')) {
      const description = this.comment();
      this.takes('readonly');
      const name = this.next().text;
      if (!this.takes('?')) required.push(name);
      this.need(':');
      const schema = this.unionType();
      // The last one in a line may do without.
      if (!this.takes(';') && this.peek().text !== '}') this.need(';');
      properties[name] = description === '' ? schema : { description, ...schema };
    }
    return { type: 'object', properties, ...(required.length === 0 ? {} : { required }) };
  }

  private unionType(): Schema {
    this.takes('|');
    const choices = [this.arrayType()];
    while (this.takes('|')) choices.push(this.arrayType());
    const [only] = choices;
    if (choices.length === 1 && only !== undefined) return only;
    if (choices.every((choice) => 'const' in choice))
      return { enum: choices.map((choice) => choice['const']) };
    return { anyOf: choices };
  }

  private arrayType(): Schema {
    this.takes('readonly');
    let schema = this.primaryType();
    while (this.takes('[')) {
      if (this.takes(']')) schema = { type: 'array', items: schema };
      else {
        // `TokenRequest['kind']`
        const name = this.next().text;
        this.need(']');
        const target: Schema = this.schemas[(schema['$ref'] as string).split('/').at(-1)!]!;
        schema = (target['properties'] as Record<string, Schema>)[name]!;
      }
    }
    return schema;
  }

  private primaryType(): Schema {
    const token = this.peek();
    if (token.kind === 'sign' && token.text === '{') return this.objectType();
    this.at++;
    if (token.text === '(' && token.kind === 'sign') {
      const schema = this.unionType();
      this.need(')');
      return schema;
    }
    if (token.kind === 'text') return { const: token.text };
    if (token.kind === 'number') return { const: Number(token.text) };
    switch (token.text) {
      case 'string':
      case 'number':
      case 'boolean':
      case 'null':
        return { type: token.text };
      case 'unknown':
        return {};
      case 'Readonly':
        return this.argument();
      case 'Partial':
        return this.argument();
      case 'Record': {
        this.need('<');
        const key = this.unionType();
        this.need(',');
        const value = this.unionType();
        this.need('>');
        const names = '$ref' in key ? { propertyNames: key } : {};
        return { type: 'object', ...names, additionalProperties: value };
      }
      default:
        return { $ref: `#/components/schemas/${token.text}` };
    }
  }

  private argument(): Schema {
    this.need('<');
    const schema = this.unionType();
    this.need('>');
    return schema;
  }

  private comment(): string {
    let text = '';
    for (; this.at < this.tokens.length && this.peek().kind === 'comment'; this.at++) text = this.peek().text;
    return text;
  }

  private peek(): Token {
    const token = this.tokens[this.at];
    if (token === undefined) throw new Error("the API's types end too early");
    return token;
  }

  private next(): Token {
    const token = this.peek();
    this.at++;
    return token;
  }

  private takes(text: string): boolean {
    const token = this.tokens[this.at];
    if (token === undefined || token.text !== text || (token.kind !== 'sign' && token.kind !== 'name'))
      return false;
    this.at++;
    return true;
  }

  private need(text: string): void {
    if (!this.takes(text))
      throw new Error(`the API's types: '${text}' is missing before '${this.peek().text}'`);
  }
}

/** The types in a source text, by name, as JSON Schemas that refer to each other as in an OpenAPI document. */
export function apiSchemasOf(source: string): Record<string, Schema> {
  return new Reader(source).readAll();
}
