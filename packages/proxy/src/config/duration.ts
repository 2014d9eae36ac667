import type { Duration } from '@heddle/xds/api/google/protobuf/duration.ts';
import type { ProblemList } from './problem-list.ts';

/** Milliseconds of a protobuf duration; `fallbackMs` where there is none. Negative ones are refused. */
export function durationMs(
  duration: Duration | undefined,
  fallbackMs: number,
  path: string,
  problems: ProblemList,
): number {
  if (duration === undefined) return fallbackMs;
  const ms = duration.seconds * 1000 + duration.nanos / 1e6;
  if (ms >= 0) return ms;
  problems.invalid(path, 'a duration must not be negative');
  return fallbackMs;
}
