import type { Measurement } from './measure.ts';

/** The middle one; of an even number, the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

/** The medians of a peer's rounds. */
export interface Summary {
  readonly peer: string;
  readonly rounds: number;
  readonly cpuUsPerRequest: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly privateMiB: number;
  readonly residentMiB: number;
  readonly idlePrivateMiB: number;
  readonly errors: number;
  /** Heddle's CPU per request divided by this peer's: below 1 Heddle is cheaper. */
  readonly heddleRatio: number;
}

const mib = 1024 * 1024;

export function summarize(
  measurements: readonly Measurement[],
  idlePrivateBytes: ReadonlyMap<string, number>,
): Summary[] {
  const names = [...new Set(measurements.map((one) => one.peer))];
  const middle = (peer: string, value: (one: Measurement) => number): number =>
    median(measurements.filter((one) => one.peer === peer).map(value));
  const heddle = middle('heddle', (one) => one.cpuUsPerRequest);
  return names.map((peer) => ({
    peer,
    rounds: measurements.filter((one) => one.peer === peer).length,
    cpuUsPerRequest: middle(peer, (one) => one.cpuUsPerRequest),
    requestsPerSecond: middle(peer, (one) => one.requestsPerSecond),
    p50Ms: middle(peer, (one) => one.p50Ms),
    p99Ms: middle(peer, (one) => one.p99Ms),
    privateMiB: middle(peer, (one) => one.privateBytes) / mib,
    residentMiB: middle(peer, (one) => one.residentBytes) / mib,
    idlePrivateMiB: (idlePrivateBytes.get(peer) ?? Number.NaN) / mib,
    errors: measurements.filter((one) => one.peer === peer).reduce((total, one) => total + one.errors, 0),
    heddleRatio: heddle / middle(peer, (one) => one.cpuUsPerRequest),
  }));
}

function fixed(value: number, digits: number): string {
  return Number.isNaN(value) ? '-' : value.toFixed(digits);
}

/** A table for people. */
export function renderTable(summaries: readonly Summary[]): string {
  const head = [
    '',
    'CPU µs/req',
    'req/s',
    'p50 ms',
    'p99 ms',
    'private MiB',
    'idle',
    'RSS MiB',
    'errors',
    'heddle is',
  ];
  const rows = summaries.map((one) => [
    one.peer,
    fixed(one.cpuUsPerRequest, 1),
    fixed(one.requestsPerSecond, 0),
    fixed(one.p50Ms, 2),
    fixed(one.p99Ms, 2),
    fixed(one.privateMiB, 1),
    fixed(one.idlePrivateMiB, 1),
    fixed(one.residentMiB, 0),
    String(one.errors),
    one.peer === 'heddle' ? '' : `${fixed(one.heddleRatio, 2)} × ${one.peer}`,
  ]);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]!.length)),
  );
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
