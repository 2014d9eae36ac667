// How the load spreads over priorities: Envoy's arithmetic, in whole per cent.

export interface PriorityHealth {
  readonly total: number;
  readonly healthy: number;
}

export interface PriorityLoad {
  /** Per cent of the requests. */
  readonly load: number;
  /** Too few are healthy: all of its endpoints are picked. */
  readonly isInPanic: boolean;
}

/**
 * Spreads 100 per cent. A priority takes all that its healthy endpoints can, counted `overprovisioningPercent` high, and
 * leaves the rest to the next one; where none is left over, a priority with fewer healthy endpoints than
 * `panicThresholdPercent` is in panic. Where all are, the load goes by the number of endpoints.
 */
export function spreadLoad(
  priorities: readonly PriorityHealth[],
  overprovisioningPercent: number,
  panicThresholdPercent: number,
): PriorityLoad[] {
  const health = priorities.map(({ total, healthy }) =>
    total === 0 ? 0 : Math.min(100, Math.floor((overprovisioningPercent * healthy) / total)),
  );
  const totalHealth = Math.min(100, sum(health));
  const isInPanic = priorities.map(
    ({ total, healthy }) => totalHealth < 100 && total > 0 && (100 * healthy) / total < panicThresholdPercent,
  );
  const populated = priorities.filter(({ total }) => total > 0).length;
  if (populated > 0 && isInPanic.filter(Boolean).length === populated) {
    const all = sum(priorities.map(({ total }) => total));
    return withRemainder(
      priorities.map(({ total }, index) => ({
        load: Math.floor((100 * total) / all),
        isInPanic: isInPanic[index]!,
      })),
    );
  }
  if (totalHealth === 0)
    return priorities.map((_, index) => ({ load: index === 0 ? 100 : 0, isInPanic: false }));
  let left = 100;
  const loads = health.map((value, index) => {
    const load = Math.min(left, Math.floor((value * 100) / totalHealth));
    left -= load;
    return { load, isInPanic: isInPanic[index]! };
  });
  return withRemainder(loads);
}

/** What rounding left over goes to the first priority that has any. */
function withRemainder(loads: readonly PriorityLoad[]): PriorityLoad[] {
  const left = 100 - sum(loads.map(({ load }) => load));
  const first = loads.findIndex(({ load }) => load > 0);
  return loads.map((entry, index) => (index === first ? { ...entry, load: entry.load + left } : entry));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
