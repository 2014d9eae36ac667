// What is to be reached, in one table. `npm run bench:peers -- --suite NAME --check` fails where one of them is missed.
import type { Figures } from './figures.ts';

export interface Target {
  readonly suite: string;
  /** The column it is about. */
  readonly column: string;
  /** Heddle's figure is divided by this peer's; null where the figure itself is bounded. */
  readonly against: string | null;
  readonly atMost: number;
  /** Reached, too, where Heddle's figure is above the peer's by no more than this. */
  readonly orWithin?: number;
}

export const targets: readonly Target[] = [
  { suite: 'http1', column: 'cpuUs', against: 'nginx', atMost: 1.1 },
  { suite: 'http1', column: 'cpuUs', against: 'haproxy', atMost: 1.2 },
  { suite: 'http1', column: 'cpuUs', against: 'envoy', atMost: 0.6 },
  { suite: 'http1-bulk', column: 'cpuUs', against: 'nginx', atMost: 1 },
  { suite: 'http1-bulk', column: 'cpuUs', against: 'haproxy', atMost: 1 },
  { suite: 'http1-bulk', column: 'cpuUs', against: 'envoy', atMost: 1.5 },
  { suite: 'tls', column: 'cpuUs', against: 'nginx', atMost: 1.15 },
  { suite: 'tls', column: 'cpuUs', against: 'envoy', atMost: 0.75 },
  { suite: 'tcp', column: 'cpuUs', against: 'nginx', atMost: 1.4 },
  { suite: 'tcp', column: 'cpuUs', against: 'envoy', atMost: 1.1 },
  { suite: 'tcp-bulk', column: 'cpuUs', against: 'nginx', atMost: 1 },
  { suite: 'tcp-bulk', column: 'cpuUs', against: 'envoy', atMost: 1.1 },
  { suite: 'http2', column: 'cpuUs', against: 'nginx', atMost: 0.7 },
  { suite: 'http2', column: 'cpuUs', against: 'envoy', atMost: 0.95 },
  { suite: 'grpc', column: 'cpuUs', against: 'nginx', atMost: 0.7 },
  { suite: 'grpc', column: 'cpuUs', against: 'envoy', atMost: 0.95 },
  { suite: 'grpc-stream', column: 'cpuMsPerGiB', against: 'envoy', atMost: 1.2 },
  { suite: 'chain', column: 'cpuUs', against: 'envoy', atMost: 0.75 },
  { suite: 'chain', column: 'grpcCpuUs', against: 'envoy', atMost: 0.75 },
  { suite: 'chain', column: 'addedP50Us', against: 'envoy', atMost: 1 },
  { suite: 'chain', column: 'addedP99Us', against: 'envoy', atMost: 1 },
  { suite: 'chain', column: 'busyAddedP50Us', against: 'envoy', atMost: 1 },
  { suite: 'chain', column: 'busyAddedP99Us', against: 'envoy', atMost: 1 },
  { suite: 'memory', column: 'idleMiB', against: 'envoy', atMost: 1.5 },
  { suite: 'memory', column: 'connectedMiB', against: 'envoy', atMost: 0.5 },
  { suite: 'memory', column: 'afterToBefore', against: null, atMost: 1.5 },
  { suite: 'latency', column: 'addedP99Us', against: 'envoy', atMost: 1.2, orWithin: 100 },
  { suite: 'startup', column: 'startMs', against: 'envoy', atMost: 4 },
];

export interface Verdict {
  readonly target: Target;
  /** The ratio, or the figure where nothing is divided; NaN where a figure is missing. */
  readonly value: number;
  readonly outcome: 'met' | 'missed' | 'not measured';
}

/** Judges a suite's targets by its figures. */
export function judge(suite: string, figures: Figures): Verdict[] {
  return targets.filter((target) => target.suite === suite).map((target) => judgeOne(target, figures));
}

function judgeOne(target: Target, figures: Figures): Verdict {
  const own = figures.get('heddle')?.[target.column] ?? Number.NaN;
  const theirs = target.against === null ? 1 : (figures.get(target.against)?.[target.column] ?? Number.NaN);
  const value = own / theirs;
  if (Number.isNaN(value)) return { target, value, outcome: 'not measured' };
  const isMet = value <= target.atMost || (target.orWithin !== undefined && own - theirs <= target.orWithin);
  return { target, value, outcome: isMet ? 'met' : 'missed' };
}

export function describeVerdict({ target, value, outcome }: Verdict): string {
  const what = target.against === null ? target.column : `${target.column} × ${target.against}`;
  const slack = target.orWithin === undefined ? '' : `, or within ${target.orWithin}`;
  const measured = Number.isNaN(value) ? '-' : value.toFixed(2);
  return `${outcome.padEnd(12)}  ${measured.padStart(5)}  ${what} (at most ${target.atMost.toFixed(2)}${slack})`;
}
