// The load at a fixed rate: fortio.
import { findProgram } from '@heddle/testkit';
import { loadCore, startPinned } from './processes.ts';

export interface FortioResult {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly requestsPerSecond: number;
  readonly errors: number;
}

export const fortioMissing =
  'fortio is not installed (https://github.com/fortio/fortio/releases, 1.68.2: the binary into a directory of PATH)';

interface FortioReport {
  readonly ActualQPS: number;
  readonly DurationHistogram: {
    readonly Percentiles: readonly { readonly Percentile: number; readonly Value: number }[];
  };
  readonly RetCodes: Readonly<Record<string, number>>;
}

/** Reads what `fortio load -json -` prints. Throws where that is none. */
export function parseFortio(text: string): FortioResult {
  const report = JSON.parse(text) as FortioReport;
  const percentile = (wanted: number): number => {
    const found = report.DurationHistogram.Percentiles.find((one) => one.Percentile === wanted);
    if (found === undefined) throw new Error(`fortio reports no ${wanted}th percentile`);
    return found.Value * 1_000_000;
  };
  const errors = Object.entries(report.RetCodes).reduce(
    (sum, [code, count]) => (code === '200' ? sum : sum + count),
    0,
  );
  return {
    p50Us: percentile(50),
    p99Us: percentile(99),
    p999Us: percentile(99.9),
    requestsPerSecond: report.ActualQPS,
    errors,
  };
}

export async function fortio(
  url: string,
  connections: number,
  requestsPerSecond: number,
  seconds: number,
): Promise<FortioResult> {
  const load = ['-qps', String(requestsPerSecond), '-c', String(connections), '-t', `${seconds}s`];
  // Connections take turns evenly, and a late request is not made up for by a burst. Buckets of 10 µs.
  const shape = ['-uniform', '-nocatchup', '-r', '0.00001', '-p', '50,99,99.9'];
  const parameters = ['load', '-quiet', '-json', '-', ...load, ...shape, url];
  await using child = await startPinned(loadCore, { program: findProgram('fortio')!, arguments: parameters });
  await child.ended((seconds + 30) * 1000);
  return parseFortio(child.stdout);
}
