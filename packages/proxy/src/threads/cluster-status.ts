// What `/clusters` shows, as plain values that threads can hand over.
import type { Proxy } from '../stack/proxy.ts';
import { type CircuitBreakerLimits, defaultCircuitBreakerLimits } from '../cluster/circuit-breaker.ts';
import type { RoutingPriority } from '../cluster/cluster-metrics.ts';
import type { EndpointHealth } from '../cluster/endpoint.ts';

export interface EndpointStatus {
  readonly host: string;
  readonly port: number;
  /** `host:port`. */
  readonly address: string;
  /** The `hostname` given to it; may be empty. */
  readonly hostname: string;
  /** 0 is used first. */
  readonly priority: number;
  readonly weight: number;
  readonly health: EndpointHealth;
  readonly counts: EndpointCounts;
}

/** Counters and gauges of an endpoint under Envoy's names. */
export type EndpointCounts = Readonly<
  Record<
    | 'cx_active'
    | 'cx_connect_fail'
    | 'cx_total'
    | 'rq_active'
    | 'rq_error'
    | 'rq_pending_active'
    | 'rq_success'
    | 'rq_timeout'
    | 'rq_total',
    number
  >
>;

export interface ClusterStatus {
  readonly name: string;
  readonly limits: Readonly<Record<RoutingPriority, CircuitBreakerLimits>>;
  readonly endpoints: readonly EndpointStatus[];
}

const defaultLimits = { default: defaultCircuitBreakerLimits, high: defaultCircuitBreakerLimits };

/** The clusters of one thread, those that no request has used without their endpoints. */
export function clusterStatusOf(proxy: Proxy): ClusterStatus[] {
  const built = new Map([...proxy.config.clusters.built()].map((cluster) => [cluster.name, cluster]));
  return [...proxy.config.clusters.names].map((name) => ({
    name,
    limits: built.get(name)?.config.breakers ?? defaultLimits,
    endpoints: (built.get(name)?.endpoints ?? []).map((endpoint) => ({
      host: endpoint.host,
      port: endpoint.port,
      address: endpoint.address,
      hostname: endpoint.name,
      priority: endpoint.priority,
      weight: endpoint.weight,
      health: endpoint.health,
      counts: {
        cx_active: endpoint.connections,
        cx_connect_fail: endpoint.connectFailures,
        cx_total: endpoint.connectionsTotal,
        rq_active: endpoint.activeRequests,
        rq_error: endpoint.requestsFailed,
        rq_pending_active: endpoint.pendingRequests,
        rq_success: endpoint.requestsSucceeded,
        rq_timeout: endpoint.requestTimeouts,
        rq_total: endpoint.requestsTotal,
      },
    })),
  }));
}

/** One list from those of all threads: counts are added up, everything else is that of the first that has it. */
export function mergeClusterStatus(lists: readonly (readonly ClusterStatus[])[]): readonly ClusterStatus[] {
  const [first, ...others] = lists;
  if (first === undefined || others.length === 0) return first ?? [];
  const clusters = new Map<string, Map<string, EndpointStatus>>();
  for (const { name, endpoints } of lists.flat()) {
    const merged = clusters.get(name) ?? new Map<string, EndpointStatus>();
    clusters.set(name, merged);
    for (const endpoint of endpoints) {
      const known = merged.get(endpoint.address);
      merged.set(endpoint.address, known === undefined ? endpoint : addCounts(known, endpoint));
    }
  }
  return first.map(({ name, limits }) => ({
    name,
    limits,
    endpoints: [...(clusters.get(name) ?? []).values()],
  }));
}

function addCounts(a: EndpointStatus, b: EndpointStatus): EndpointStatus {
  // The names of one are those of the other.
  const names = Object.keys(a.counts) as (keyof EndpointCounts)[];
  const sums = names.map((name) => [name, a.counts[name] + b.counts[name]]);
  return { ...a, counts: Object.fromEntries(sums) as EndpointCounts };
}
