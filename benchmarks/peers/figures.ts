// Medians, and the table that shows them.
import type { Column, Sample } from './suite.ts';

/** The middle one; of an even number, the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** By peer, in the order in which they were measured: the median of each column. */
export type Figures = ReadonlyMap<string, Readonly<Record<string, number>>>;

export function summarize(samples: readonly Sample[], columns: readonly Column[]): Figures {
  const figures = new Map<string, Record<string, number>>();
  for (const peer of new Set(samples.map((one) => one.peer))) {
    const rounds = samples.filter((one) => one.peer === peer);
    const middle = columns.map(({ key }) => [key, median(rounds.map((one) => one.values[key]!))] as const);
    figures.set(peer, Object.fromEntries(middle));
  }
  return figures;
}

/** A table for people. The last column is Heddle's first figure divided by each peer's. */
export function renderTable(figures: Figures, columns: readonly Column[]): string {
  const [first] = columns;
  const own = figures.get('heddle');
  const rows = [...figures].map(([peer, values]) => {
    const ratio =
      own === undefined || first === undefined ? Number.NaN : own[first.key]! / values[first.key]!;
    const cells = columns.map(({ key, digits }) => fixed(values[key]!, digits));
    cells.unshift(peer);
    cells.push(peer === 'heddle' || Number.isNaN(ratio) ? '' : `${ratio.toFixed(2)} × ${peer}`);
    return cells;
  });
  const head = ['', ...columns.map((column) => column.title), 'heddle is'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  return [head, ...rows].map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

function fixed(value: number, digits: number): string {
  return Number.isNaN(value) ? '-' : value.toFixed(digits);
}
