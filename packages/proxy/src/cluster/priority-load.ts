// How the load spreads over priorities: Envoy's arithmetic, in whole per cent.

/** How many endpoints a priority has. */
export interface PriorityHealth {
  readonly total: number;
  readonly healthy: number;
  readonly degraded: number;
  /** Those that drain: they count for nothing. */
  readonly draining: number;
}

export interface PriorityLoad {
  /** Per cent of the requests that its healthy endpoints get; in panic all of them. */
  readonly healthyLoad: number;
  /** Per cent of the requests that its degraded endpoints get. */
  readonly degradedLoad: number;
  /** Too few are left: all of its endpoints are picked. */
  readonly isInPanic: boolean;
}

/**
 * Spreads 100 per cent. A priority takes all that its healthy endpoints can, counted `overprovisioningPercent` high, and
 * leaves the rest to the next one; what is left when all have taken goes to the degraded endpoints in the same way. Where
 * even those can't take it all, a priority with fewer healthy and degraded endpoints than `panicThresholdPercent` is in
 * panic. Where all are, the load goes by the number of endpoints.
 */
export function spreadLoad(
  priorities: readonly PriorityHealth[],
  overprovisioningPercent: number,
  panicThresholdPercent: number,
): PriorityLoad[] {
  const availability = (count: number, { total, draining }: PriorityHealth): number =>
    total === draining
      ? 0
      : Math.min(100, Math.floor((overprovisioningPercent * count) / (total - draining)));
  const healthy = priorities.map((priority) => availability(priority.healthy, priority));
  const degraded = priorities.map((priority) => availability(priority.degraded, priority));
  const totalAvailability = Math.min(100, sum(healthy) + sum(degraded));
  const isInPanic = priorities.map(
    (priority) => totalAvailability < 100 && shareLeft(priority) < panicThresholdPercent,
  );
  if (panicThresholdPercent > 0 && isInPanic.every(Boolean)) return loadInPanic(priorities);
  if (totalAvailability === 0)
    return priorities.map((_, index) => loadOf(index === 0 ? 100 : 0, 0, isInPanic[index]!));
  let left = 100;
  const take = (available: number): number => {
    const load = Math.min(left, Math.floor((available * 100) / totalAvailability));
    left -= load;
    return load;
  };
  const healthyLoads = healthy.map(take);
  const degradedLoads = degraded.map(take);
  giveRest(left, healthy.some((available) => available > 0) ? healthyLoads : degradedLoads);
  return priorities.map((_, index) => loadOf(healthyLoads[index]!, degradedLoads[index]!, isInPanic[index]!));
}

/** How many per cent of a priority's endpoints can be picked. */
function shareLeft({ total, healthy, degraded, draining }: PriorityHealth): number {
  return total === draining ? 0 : (100 * (healthy + degraded)) / (total - draining);
}

function loadInPanic(priorities: readonly PriorityHealth[]): PriorityLoad[] {
  const all = sum(priorities.map(({ total }) => total));
  const loads = priorities.map(({ total }) => (all === 0 ? 0 : Math.floor((100 * total) / all)));
  if (all === 0) loads[0] = 100;
  giveRest(100 - sum(loads), loads);
  return loads.map((load, index) => loadOf(load, 0, priorities[index]!.total > 0));
}

/** What rounding left over goes to the first that has any. */
function giveRest(rest: number, loads: number[]): void {
  const first = loads.findIndex((load) => load > 0);
  if (first >= 0) loads[first]! += rest;
}

function loadOf(healthyLoad: number, degradedLoad: number, isInPanic: boolean): PriorityLoad {
  return { healthyLoad, degradedLoad, isInPanic };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
