/** What a piece of YAML is, for its colour. */
export type YamlTokenKind = 'key' | 'text' | 'number' | 'word' | 'mark';

export interface YamlToken {
  readonly kind: YamlTokenKind;
  readonly text: string;
}

/** Writes a value of JSON as YAML in block style, in pieces that can be coloured; joined they are the file. */
export function yamlTokens(value: unknown): YamlToken[] {
  const tokens: YamlToken[] = [];
  writeNode(value, 0, tokens);
  return tokens;
}

/** Writes a value of JSON as YAML in block style. */
export function toYaml(value: unknown): string {
  return yamlTokens(value)
    .map((token) => token.text)
    .join('');
}

const mark = (text: string): YamlToken => ({ kind: 'mark', text });

/** Writes a node whose first line has begun already, `depth` levels in, with the line's end. */
function writeNode(value: unknown, depth: number, tokens: YamlToken[]): void {
  if (Array.isArray(value) && value.length > 0) writeItems(value, depth, tokens);
  else if (isRecord(value) && entriesOf(value).length > 0) writeEntries(value, depth, tokens);
  else tokens.push(scalarToken(value, depth), mark('\n'));
}

function writeEntries(value: Record<string, unknown>, depth: number, tokens: YamlToken[]): void {
  for (const [index, [key, child]] of entriesOf(value).entries()) {
    if (index > 0) tokens.push(mark('  '.repeat(depth)));
    tokens.push({ kind: 'key', text: plainOrQuoted(key) }, mark(':'));
    if (isFilled(child)) {
      // Items of a sequence stand as far in as their key, as people write them.
      const inner = Array.isArray(child) ? depth : depth + 1;
      tokens.push(mark(`\n${'  '.repeat(inner)}`));
      writeNode(child, inner, tokens);
    } else {
      tokens.push(mark(' '), scalarToken(child, depth + 1), mark('\n'));
    }
  }
}

function writeItems(items: readonly unknown[], depth: number, tokens: YamlToken[]): void {
  for (const [index, item] of items.entries()) {
    if (index > 0) tokens.push(mark('  '.repeat(depth)));
    tokens.push(mark('- '));
    writeNode(item, depth + 1, tokens);
  }
}

function scalarToken(value: unknown, depth: number): YamlToken {
  if (typeof value === 'string') return { kind: 'text', text: textOf(value, depth) };
  if (typeof value === 'number') return { kind: 'number', text: String(value) };
  if (Array.isArray(value)) return mark('[]');
  if (isRecord(value)) return mark('{}');
  return { kind: 'word', text: value === true || value === false ? `${value}` : 'null' };
}

/** Several lines stand as they are under a bar; `|-` because the writer adds the last line's end itself. */
function textOf(value: string, depth: number): string {
  const lines = value.split('\n');
  const last = lines.at(-1) ?? '';
  const isPlainBlock =
    lines.length > 2 &&
    last === '' &&
    lines.at(-2) !== '' &&
    !/^\s/.test(value) &&
    !/[^\x20-\x7E\n]/.test(value);
  if (!isPlainBlock) return plainOrQuoted(value);
  const indent = '  '.repeat(depth);
  return `|\n${lines
    .slice(0, -1)
    .map((line) => (line === '' ? '' : `${indent}${line}`))
    .join('\n')}`;
}

/** What may stand without quotation marks in YAML 1.1 and 1.2 alike; whatever could be read as something else may not. */
const PLAIN = /^(?:[A-Za-z_/][\w./@*+-]*(?:[: ][\w./@*+-]+)*|\d+(?:\.\d+)?(?:ms|[smh]))$/;
const RESERVED = /^(?:y|yes|n|no|on|off|true|false|null|nan|inf)$/i;

function plainOrQuoted(text: string): string {
  return PLAIN.test(text) && !RESERVED.test(text) && !text.includes(' -') ? text : JSON.stringify(text);
}

function entriesOf(value: Record<string, unknown>): [string, unknown][] {
  return Object.entries(value).filter(([, child]) => child !== undefined);
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : isRecord(value) && entriesOf(value).length > 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
