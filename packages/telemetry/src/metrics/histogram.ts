// Hot path.
import { invariant } from '@heddle/base';

/** Upper bounds in milliseconds of Envoy's and Istio's duration histograms. */
export const durationBucketsMs: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
];

/**
 * Counts values in buckets of fixed upper bounds (inclusive, as Prometheus's `le`). `observe` allocates nothing and
 * costs about 10 ns.
 */
export class Histogram {
  /** Ascending upper bounds; a value above the last goes to the extra bucket `+Inf`. */
  readonly bounds: Float64Array;
  /** One count per bound, then that of `+Inf`; not cumulative. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    for (let i = 1; i < bounds.length; i++) {
      invariant(bounds[i - 1]! < bounds[i]!, 'histogram bounds must ascend');
    }
    this.bounds = Float64Array.from(bounds);
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** Counts one value. A value that is not a number is a bug upstream and goes to `+Inf` without touching the sum. */
  observe(value: number): void {
    const bounds = this.bounds;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value <= bounds[middle]!) high = middle;
      else low = middle + 1;
    }
    this.counts[low] = this.counts[low]! + 1;
    if (value === value) this.sum += value;
  }

  /** How many values were observed. */
  get count(): number {
    let total = 0;
    for (const count of this.counts) total += count;
    return total;
  }
}
