/** One service's traffic of the last quarter of an hour, second by second. */
import { durationBucketsMs, estimateQuantile } from '@heddle/telemetry';

/** How many seconds are kept. */
export const historySeconds = 900;
/** How far back counts may still be added, and summaries over several seconds be made. */
export const openSeconds = 16;

const bucketCount = durationBucketsMs.length + 1;

/** One second, or several together. Counts may be fractions: what a proxy reports is spread over the time it covers. */
export interface TrafficCounts {
  readonly requests: number;
  readonly errors: number;
  /** Null where nothing was measured. */
  readonly p50Ms: number | null;
  readonly p90Ms: number | null;
  readonly p99Ms: number | null;
}

const nothing: TrafficCounts = { requests: 0, errors: 0, p50Ms: null, p90Ms: null, p99Ms: null };

/**
 * Seconds are whole seconds since 1970. Latency buckets are kept for the last few seconds only; before that, the
 * quantiles made from them: 18 KB a service instead of 80.
 */
export class TrafficRing {
  private readonly requests = new Float32Array(historySeconds);
  private readonly errors = new Float32Array(historySeconds);
  private readonly p50 = new Float32Array(historySeconds);
  private readonly p90 = new Float32Array(historySeconds);
  private readonly p99 = new Float32Array(historySeconds);
  private readonly buckets = new Float32Array(openSeconds * bucketCount);
  private readonly first: number;
  /** The newest second there is room for; those up to `latest - openSeconds` are settled. */
  private latest: number;

  /** Starts empty at `second`. */
  constructor(second: number) {
    this.first = second - openSeconds + 1;
    this.latest = second;
  }

  /** Makes room up to `second`: older seconds fall out, quantiles of those that close are settled. */
  advance(second: number): void {
    if (second - this.latest > historySeconds) this.latest = second - historySeconds;
    while (this.latest < second) {
      this.settle(this.latest - openSeconds + 1);
      this.latest++;
      const slot = this.latest % historySeconds;
      this.requests[slot] = 0;
      this.errors[slot] = 0;
      const start = (this.latest % openSeconds) * bucketCount;
      this.buckets.fill(0, start, start + bucketCount);
    }
  }

  /** Adds to a second; one that is settled already is left as it is. */
  addRequests(second: number, requests: number, errors: number): void {
    if (!this.isOpen(second)) return;
    const slot = second % historySeconds;
    this.requests[slot] = this.requests[slot]! + requests;
    this.errors[slot] = this.errors[slot]! + errors;
  }

  /** Adds `share` of each of `counts`, one per bucket of `durationBucketsMs` and one for what lies above. */
  addLatencies(second: number, counts: ArrayLike<number>, share: number): void {
    if (!this.isOpen(second)) return;
    const start = (second % openSeconds) * bucketCount;
    for (let i = 0; i < bucketCount; i++) {
      this.buckets[start + i] = this.buckets[start + i]! + (counts[i] ?? 0) * share;
    }
  }

  /** One second. */
  at(second: number): TrafficCounts {
    if (second > this.latest || second <= this.latest - historySeconds || second < this.first) return nothing;
    const slot = second % historySeconds;
    const requests = this.requests[slot]!;
    const errors = this.errors[slot]!;
    if (this.isOpen(second)) return { requests, errors, ...quantiles(this.bucketsOf(second)) };
    return {
      requests,
      errors,
      p50Ms: settled(this.p50[slot]!),
      p90Ms: settled(this.p90[slot]!),
      p99Ms: settled(this.p99[slot]!),
    };
  }

  /** The seconds `from` to `to` together, both included; no more than `openSeconds`. */
  sum(from: number, to: number): TrafficCounts {
    const counts = new Float64Array(bucketCount);
    let requests = 0;
    let errors = 0;
    for (let second = Math.max(from, this.latest - openSeconds + 1); second <= to; second++) {
      if (!this.isOpen(second)) continue;
      requests += this.requests[second % historySeconds]!;
      errors += this.errors[second % historySeconds]!;
      const buckets = this.bucketsOf(second);
      for (let i = 0; i < bucketCount; i++) counts[i] = counts[i]! + buckets[i]!;
    }
    return { requests, errors, ...quantiles(counts) };
  }

  private isOpen(second: number): boolean {
    return second <= this.latest && second > this.latest - openSeconds;
  }

  private bucketsOf(second: number): Float32Array {
    const start = (second % openSeconds) * bucketCount;
    return this.buckets.subarray(start, start + bucketCount);
  }

  private settle(second: number): void {
    const slot = second % historySeconds;
    const { p50Ms, p90Ms, p99Ms } = quantiles(this.bucketsOf(second));
    this.p50[slot] = p50Ms ?? Number.NaN;
    this.p90[slot] = p90Ms ?? Number.NaN;
    this.p99[slot] = p99Ms ?? Number.NaN;
  }
}

function quantiles(counts: ArrayLike<number>): Pick<TrafficCounts, 'p50Ms' | 'p90Ms' | 'p99Ms'> {
  return {
    p50Ms: estimateQuantile(0.5, durationBucketsMs, counts),
    p90Ms: estimateQuantile(0.9, durationBucketsMs, counts),
    p99Ms: estimateQuantile(0.99, durationBucketsMs, counts),
  };
}

function settled(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
