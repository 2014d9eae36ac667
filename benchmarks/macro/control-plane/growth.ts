// How figures grow with sizes: 1 is linear.
import type { Figures } from './measure.ts';

/** The exponent of the power of `size` that fits `cost` best; undefined for fewer than two sizes. */
export function exponent(
  points: readonly { readonly size: number; readonly cost: number }[],
): number | undefined {
  const logs = points.map(({ size, cost }) => [Math.log(size), Math.log(cost)] as const);
  if (new Set(points.map(({ size }) => size)).size < 2) return undefined;
  const mean = (pick: 0 | 1): number => logs.reduce((sum, one) => sum + one[pick], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const slope = logs.reduce((sum, one) => sum + (one[0] - x) * (one[1] - y), 0);
  return slope / logs.reduce((sum, one) => sum + (one[0] - x) ** 2, 0);
}

/** One line for proxies and one for services, of what the control plane spends until all have their first state. */
export function describeGrowth(results: readonly Figures[]): string[] {
  return (['proxies', 'services'] as const).flatMap((by) => {
    const other = by === 'proxies' ? 'services' : 'proxies';
    const most = Math.max(...results.map((one) => one[other]));
    const points = results
      .filter((one) => one[other] === most)
      .map((one) => ({ size: one[by], cost: one.firstStateCpuMs }));
    const grows = exponent(points);
    if (grows === undefined) return [];
    const sizes = points.map(({ size }) => size).join(', ');
    return [`CPU grows with ${by} (${sizes}) to the power of ${grows.toFixed(2)}`];
  });
}
