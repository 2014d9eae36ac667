import type { HistoryChangeDetail, HistoryDetail, HistoryResponse } from '@heddle/control-plane';
import { systemClock } from '@heddle/base';
import { styleText } from 'node:util';
import { type Api, connectApi } from '../api/connect.ts';
import { usageError } from '../cli-error.ts';
import type { HistoryFlags } from '../commands/history.ts';
import { objectName } from '../configuration/report.ts';
import { ExitCode } from '../exit-code.ts';
import { lineDiff } from '../output/line-diff.ts';
import { terminalColumns } from '../output/table.ts';
import { renderHistory } from './history-table.ts';
import { namedObject } from './named-object.ts';

async function print(value: unknown, output: 'yaml' | 'json'): Promise<void> {
  const text =
    output === 'json' ? `${JSON.stringify(value, null, 2)}\n` : (await import('yaml')).stringify(value);
  process.stdout.write(text);
}

async function showList(api: Api, flags: HistoryFlags, words: readonly string[]): Promise<void> {
  const object = namedObject(words, flags.namespace);
  const query = new URLSearchParams({ limit: String(flags.limit), ...object });
  const { entries } = await api.get<HistoryResponse>(`/api/v1/history?${query.toString()}`);
  if (flags.output !== 'table') return await print({ items: entries }, flags.output);
  if (entries.length === 0) {
    process.stderr.write(object === undefined ? 'Nothing was ever changed.\n' : 'It was never changed.\n');
    return;
  }
  process.stdout.write(renderHistory(entries, systemClock.now(), terminalColumns()));
}

const colorOf = { '-': 'red', '+': 'green' } as const;

async function showChange(change: HistoryChangeDetail): Promise<void> {
  const { stringify } = await import('yaml');
  const text = (value: unknown): string => (value === null ? '' : stringify(value).trimEnd());
  process.stdout.write(`\n${objectName(change)} ${change.change}\n`);
  const { before, after } = change;
  // All of what is new or gone, without an empty line on the other side.
  const lines =
    before === null || after === null
      ? text(before ?? after)
          .split('\n')
          .map((line) => `${before === null ? '+' : '-'} ${line}`)
      : lineDiff(text(before), text(after));
  for (const line of lines) {
    const color = line.startsWith('-') || line.startsWith('+') ? colorOf[line[0] as '-' | '+'] : null;
    process.stdout.write(`  ${color === null ? line : styleText(color, line, { stream: process.stdout })}\n`);
  }
}

async function showOne(api: Api, revision: number, output: HistoryFlags['output']): Promise<void> {
  const detail = await api.get<HistoryDetail>(`/api/v1/history/${revision}`);
  if (output !== 'table') return await print(detail, output);
  const { author, at, changes } = detail;
  process.stdout.write(`revision ${revision}, ${new Date(at).toISOString()}, ${author}\n`);
  for (const change of changes) await showChange(change);
}

/** `heddle history`. */
export async function showHistory(flags: HistoryFlags, ...words: readonly string[]): Promise<number> {
  if (flags.revision !== undefined && words.length > 0)
    throw usageError('--revision shows one change whole: name no object with it');
  const api = await connectApi(flags);
  if (flags.revision === undefined) await showList(api, flags, words);
  else await showOne(api, flags.revision, flags.output);
  return ExitCode.ok;
}
