// `/clusters`.
import {
  type AdminResponse,
  BadAdminRequest,
  choiceOf,
  jsonResponse,
  textResponse,
} from './admin-message.ts';
import type { CircuitBreakerLimits } from '../cluster/circuit-breaker.ts';
import type { ClusterStatus, EndpointStatus } from '../threads/cluster-status.ts';
import { addressAt, isUnixAddress } from '../transport/address.ts';
import { safePattern } from './safe-pattern.ts';

/** What goes down again too. */
const gauges: ReadonlySet<string> = new Set(['cx_active', 'rq_active', 'rq_pending_active']);

/** Answers `/clusters`; `isStatic` says whether they came from a file. */
export function clustersPage(
  clusters: readonly ClusterStatus[],
  isStatic: boolean,
  query: URLSearchParams,
): AdminResponse {
  const pattern = safePattern(query.get('filter') ?? '');
  if (!pattern.ok) throw new BadAdminRequest(`Invalid filter: ${pattern.error}\n`);
  const selected = clusters.filter(({ name }) => pattern.value.test(name));
  if (choiceOf(query, 'format', ['text', 'json']) === 'text') {
    return textResponse(clustersText(selected, isStatic));
  }
  return jsonResponse({ cluster_statuses: selected.map((cluster) => clusterJson(cluster, isStatic)) });
}

function* clustersText(clusters: readonly ClusterStatus[], isStatic: boolean): Generator<string> {
  for (const { name, endpoints, limits } of clusters) {
    yield `${name}::observability_name::${name}\n`;
    for (const priority of ['default', 'high'] as const) {
      const prefix = `${name}::${priority}_priority::`;
      const { maxConnections, maxPendingRequests, maxRequests, maxRetries } = limits[priority];
      yield `${prefix}max_connections::${maxConnections}\n${prefix}max_pending_requests::${maxPendingRequests}\n`;
      yield `${prefix}max_requests::${maxRequests}\n${prefix}max_retries::${maxRetries}\n`;
    }
    yield `${name}::added_via_api::${!isStatic}\n`;
    for (const endpoint of endpoints) yield endpointText(`${name}::${endpoint.address}::`, endpoint);
  }
}

/** One line for each thing that Envoy tells of a host; of its outliers nothing is known. */
function endpointText(
  prefix: string,
  { counts, hostname, health, weight, priority }: EndpointStatus,
): string {
  const lines: readonly (readonly [string, string | number | boolean])[] = [
    ...Object.entries(counts),
    ['hostname', hostname],
    ['health_flags', healthFlags[health]],
    ['weight', weight],
    ['region', ''],
    ['zone', ''],
    ['sub_zone', ''],
    ['canary', false],
    ['priority', priority],
    ['success_rate', -1],
    ['local_origin_success_rate', -1],
  ];
  return lines.map(([name, value]) => `${prefix}${name}::${value}\n`).join('');
}

/** As protobuf's JSON has it: what is zero or the first of an enum is left out. */
function clusterJson({ name, endpoints, limits }: ClusterStatus, isStatic: boolean): object {
  return {
    name,
    ...(isStatic ? {} : { added_via_api: true }),
    ...(endpoints.length === 0 ? {} : { host_statuses: endpoints.map(hostJson) }),
    circuit_breakers: {
      thresholds: [thresholdsJson(limits.default), { priority: 'HIGH', ...thresholdsJson(limits.high) }],
    },
    observability_name: name,
  };
}

function thresholdsJson(limits: CircuitBreakerLimits): object {
  return {
    max_connections: limits.maxConnections,
    max_pending_requests: limits.maxPendingRequests,
    max_requests: limits.maxRequests,
    max_retries: limits.maxRetries,
  };
}

function statJson(name: string, value: number): object {
  const type = gauges.has(name) ? { type: 'GAUGE' } : {};
  return value === 0 ? { ...type, name } : { ...type, value: String(value), name };
}

function hostJson(endpoint: EndpointStatus): object {
  const { host, port, counts, health, weight, hostname, priority } = endpoint;
  const stats = Object.entries(counts);
  const inOrder = [
    ...stats.filter(([stat]) => !gauges.has(stat)),
    ...stats.filter(([stat]) => gauges.has(stat)),
  ];
  const address = addressAt(host, port);
  return {
    address: isUnixAddress(address)
      ? { pipe: { path: address.path.replace(/^\0/, '@') } }
      : { socket_address: { address: host, port_value: port } },
    stats: inOrder.map(([stat, value]) => statJson(stat, value)),
    health_status: { eds_health_status: health.toUpperCase() },
    weight,
    ...(hostname === '' ? {} : { hostname }),
    ...(priority === 0 ? {} : { priority }),
    locality: {},
  };
}

const healthFlags: Readonly<Record<EndpointStatus['health'], string>> = {
  healthy: 'healthy',
  degraded: '/degraded_eds_health',
  unhealthy: '/failed_eds_health',
  draining: '/eds_status_draining',
};
