// What a change would do, in lines of a terminal's width.
import { styleText } from 'node:util';
import type { DiffResponse, FieldDiff, ObjectDiff, ResourceDiff } from '@heddle/control-plane';
import { visible } from '../output/visible.ts';
import { textColumns, wrapText } from '../output/wrap.ts';
import { objectName } from './report.ts';

type Mark = '+' | '~' | '-' | ' ';

const colors = { '+': 'green', '~': 'yellow', '-': 'red' } as const;
const markOf: Readonly<Record<ObjectDiff['change'] | ResourceDiff['change'], Mark>> = {
  created: '+',
  configured: '~',
  deleted: '-',
  unchanged: ' ',
  skipped: ' ',
  'not-found': ' ',
  added: '+',
  changed: '~',
  removed: '-',
};
const nouns = {
  lds: 'listener',
  rds: 'routes',
  vhds: 'virtual host',
  cds: 'cluster',
  eds: 'endpoints',
  sds: 'secret',
} as const;
/** Proxies that are named, of those that a change is for. */
const namedProxies = 3;

function cut(text: string): string {
  return text.length <= textColumns ? text : `${text.slice(0, textColumns - 1)}…`;
}

function paint(mark: Mark, text: string): string {
  return mark === ' ' ? text : styleText(colors[mark], text, { stream: process.stdout });
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}

/** `reviews-v1-1` of a sidecar's node id. */
function proxyName(id: string): string {
  return visible(id.split('~')[1] ?? id);
}

function value(of: unknown): string {
  return visible(JSON.stringify(of) ?? '');
}

function fieldLines({ path, before, after, line }: FieldDiff, indent: string): string[] {
  const hasBefore = before !== undefined;
  const hasAfter = after !== undefined;
  // A secret's field says neither.
  const mark: Mark = hasBefore === hasAfter ? '~' : hasAfter ? '+' : '-';
  const place = line === undefined ? '' : `line ${line}: `;
  const head = `${indent}${mark} ${place}${visible(path)}`;
  if (!hasBefore && !hasAfter) return [paint(mark, cut(head))];
  const says =
    hasBefore && hasAfter ? `${value(before)} → ${value(after)}` : value(hasAfter ? after : before);
  if (head.length + 2 + says.length <= textColumns) return [paint(mark, `${head}: ${says}`)];
  const deep = `${indent}    `;
  const lines = hasBefore && hasAfter ? [value(before), `→ ${value(after)}`] : [says];
  return [cut(head), ...lines.map((text) => cut(`${deep}${text}`))].map((text) => paint(mark, text));
}

function resourceLines({ type, name, change, fields }: ResourceDiff, withDetails: boolean): string[] {
  const mark = markOf[change];
  const line = paint(mark, cut(`    ${mark} ${nouns[type]} ${visible(name)}`));
  return [line, ...(withDetails ? fields.flatMap((field) => fieldLines(field, '        ')) : [])];
}

function proxyLines(proxies: readonly string[], total: number): string[] {
  const names = proxies.slice(0, namedProxies).map(proxyName);
  const more = proxies.length > names.length ? ` and ${proxies.length - names.length} more` : '';
  const text = `for ${proxies.length} of ${total} connected (${names.join(', ')}${more}):`;
  return wrapText(text, textColumns - 2).map((line) => `  ${line}`);
}

function objectLines(object: ObjectDiff, total: number, withDetails: boolean): string[] {
  const mark = markOf[object.change];
  const place =
    object.file === undefined
      ? ''
      : `${object.file === '-' ? 'standard input' : visible(object.file)}:${object.line}`;
  const head = `${mark} ${visible(objectName(object))} ${object.change}`;
  const isOneLine = head.length + 1 + place.length <= textColumns;
  const lines = isOneLine
    ? [paint(mark, head) + (place === '' ? '' : place.padStart(textColumns - head.length))]
    : [paint(mark, head), `  ${place}`];
  lines.push(...object.fields.flatMap((field) => fieldLines(field, '  ')));
  const groups = Map.groupBy(object.resources, ({ proxies }) => proxies.join('\n'));
  for (const resources of groups.values()) {
    lines.push(...proxyLines(resources[0]!.proxies, total));
    for (const resource of resources) lines.push(...resourceLines(resource, withDetails));
  }
  return lines;
}

/** Everything that an answer says, and a line that sums it up. */
export function renderDiff({ objects, proxies }: DiffResponse, withDetails: boolean): string {
  const lines = objects.flatMap((object) => objectLines(object, proxies.total, withDetails));
  const changes = Object.entries(Object.groupBy(objects, ({ change }) => change)).map(
    ([change, of]) => `${of.length} ${change.replace('-', ' ')}`,
  );
  const changed = proxies.changed.length;
  lines.push(
    `${count(objects.length, 'object')}: ${changes.join(', ')}; ${changed} of ${proxies.total} connected proxies would change`,
  );
  return `${lines.join('\n')}\n`;
}
