/** One column of a chart: values by second, null where there is none. */
export type ChartColumn = (number | null)[];

/** The seconds that a window covers, for the chart's time axis. */
export function secondsUpTo(endSecond: number, length: number): number[] {
  return Array.from({ length }, (_, index) => endSecond - (length - 1 - index));
}

/** What is not known (NaN) becomes null, which the chart leaves out. */
export function columnOf(values: Float64Array): ChartColumn {
  return Array.from(values, (value) => (Number.isNaN(value) ? null : value));
}

/** Failed requests as a share of all, second by second; null for a second without requests. */
export function shareColumn(requests: Float64Array, errors: Float64Array): ChartColumn {
  return Array.from(requests, (total, index) =>
    total > 0 ? Math.min(1, (errors[index] ?? 0) / total) : null,
  );
}

/** The last value that is known; null where none is. */
export function lastKnown(column: ChartColumn): number | null {
  return column.findLast((value) => value !== null) ?? null;
}

const STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10] as const;

/** The least round number that is not below `value`, so that an axis does not breathe with each second. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const magnitude = 10 ** Math.floor(Math.log10(value));
  const step = STEPS.find((candidate) => candidate * magnitude >= value) ?? 10;
  return step * magnitude;
}
