/**
 * Estimates a quantile from bucket counts by linear interpolation within a bucket, as Prometheus's `histogram_quantile`
 * does. `counts` holds one count per bound and one for `+Inf`, not cumulative: the difference of two snapshots gives the
 * quantile of the time between them. Null where nothing was counted; the last bound where the quantile lies above it.
 */
export function estimateQuantile(
  quantile: number,
  bounds: ArrayLike<number>,
  counts: ArrayLike<number>,
): number | null {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i]!;
  if (total <= 0) return null;
  const rank = quantile * total;
  let below = 0;
  for (let i = 0; i < bounds.length; i++) {
    const inBucket = counts[i]!;
    if (inBucket > 0 && below + inBucket >= rank) {
      const lower = i === 0 ? Math.min(0, bounds[0]!) : bounds[i - 1]!;
      return lower + (bounds[i]! - lower) * Math.max(0, (rank - below) / inBucket);
    }
    below += inBucket;
  }
  return bounds.length === 0 ? null : bounds[bounds.length - 1]!;
}

/** `newer - older`, bucket by bucket; `newer` alone where the series was started again (a count went down). */
export function bucketDelta(newer: ArrayLike<number>, older: ArrayLike<number> | null): Float64Array {
  const delta = Float64Array.from(newer);
  if (older === null || older.length !== newer.length) return delta;
  for (let i = 0; i < delta.length; i++) delta[i] = delta[i]! - older[i]!;
  return delta.some((count) => count < 0) ? Float64Array.from(newer) : delta;
}
