// Whether a connection is taken at all: limits that hold before anything is known of it.
import type { Counter, MetricScope } from '@heddle/telemetry';
import type { ProcessCount, ProcessCounts } from '../stack/process-counts.ts';

/** How many connections a process takes at once; null and what is absent are not limited. */
export interface ConnectionLimits {
  /** Of all listeners together, but for those that ignore it. */
  readonly total: number | null;
  /** By the listener's name. */
  readonly byListener: ReadonlyMap<string, number>;
}

export const noConnectionLimits: ConnectionLimits = { total: null, byListener: new Map() };

interface Limit {
  readonly count: ProcessCount;
  readonly max: number;
  /** Connections refused. */
  readonly overflows: Counter;
}

/** One listener's door. */
export class ConnectionAdmission {
  private readonly limits: readonly Limit[];

  /** `isOfTotal`: whether the listener's connections count against the limit for the whole process. */
  constructor(
    listener: string,
    isOfTotal: boolean,
    limits: ConnectionLimits,
    counts: ProcessCounts,
    scope: MetricScope,
    statAddress: string,
  ) {
    const labels = { envoy_listener_address: statAddress };
    const all: Limit[] = [];
    const own = limits.byListener.get(listener);
    const ownOverflows = scope.counter(
      'envoy_listener_downstream_cx_overflow',
      'Connections refused because the listener had as many as it may.',
      labels,
    );
    const overflows = scope.counter(
      'envoy_listener_downstream_global_cx_overflow',
      'Connections refused because the process had as many as it may.',
      labels,
    );
    if (limits.total !== null && isOfTotal)
      all.push({ count: counts.open('downstream connections'), max: limits.total, overflows });
    if (own !== undefined)
      all.push({ count: counts.open(`listener ${listener}`), max: own, overflows: ownOverflows });
    this.limits = all;
  }

  /** Takes a connection if there is room for it; `release` is to be called when it is gone. */
  admit(): boolean {
    for (const [index, { count, max, overflows }] of this.limits.entries()) {
      if (count.tryAdd(max)) continue;
      overflows.value++;
      for (const taken of this.limits.slice(0, index)) taken.count.remove();
      return false;
    }
    return true;
  }

  /** A connection that another listener has admitted is this one's now. */
  takeOver(): void {
    for (const { count } of this.limits) count.add();
  }

  release(): void {
    for (const { count } of this.limits) count.remove();
  }

  /** To be called when no connection is left. */
  close(): void {
    for (const { count } of this.limits) count.close();
  }
}
