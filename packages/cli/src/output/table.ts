import { styleText } from 'node:util';
import { textColumns } from './wrap.ts';

/** One column of a table of rows of type T. */
export interface Column<T> {
  readonly title: string;
  readonly value: (row: T) => string;
  /** Numbers stand at the right. */
  readonly align?: 'left' | 'right';
  /** Shown with `-o wide` only. */
  readonly isWide?: boolean;
}

const gap = '  ';
/** Names shorter than this say nothing. */
const narrowest = 8;

function fit(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** Takes columns from the widest until all fit. */
function shrink(widths: readonly number[], available: number): readonly number[] {
  const result = [...widths];
  const total = (): number => result.reduce((sum, width) => sum + width, gap.length * (result.length - 1));
  while (total() > available) {
    const widest = result.indexOf(Math.max(...result));
    if (result[widest]! <= narrowest) break;
    result[widest]!--;
  }
  return result;
}

/**
 * A table as kubectl prints it: titles in capitals, two spaces between columns, no lines. `available` is the terminal's
 * width, to which long cells are cut; infinite where a program reads along, which must get every name whole.
 */
export function renderTable<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  available = Number.POSITIVE_INFINITY,
): string {
  const cells = rows.map((row) => columns.map((column) => column.value(row)));
  const natural = columns.map((column, index) =>
    Math.max(column.title.length, ...cells.map((row) => row[index]!.length)),
  );
  const widths = shrink(natural, available);
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, index) => {
        const width = widths[index]!;
        return columns[index]!.align === 'right'
          ? fit(text, width).padStart(width)
          : fit(text, width).padEnd(width);
      })
      .join(gap)
      .trimEnd();
  const titles = styleText('bold', line(columns.map(({ title }) => title)), { stream: process.stdout });
  return `${[titles, ...cells.map(line)].join('\n')}\n`;
}

/** How wide a table may be: the terminal's width, or as wide as it needs where there is none; a terminal may not know its own. */
export function terminalColumns(): number {
  return process.stdout.isTTY ? process.stdout.columns || textColumns : Number.POSITIVE_INFINITY;
}
