// `/clusters`.
import {
  type AdminResponse,
  BadAdminRequest,
  choiceOf,
  jsonResponse,
  textResponse,
} from './admin-message.ts';
import type { ClusterStatus, EndpointStatus } from '../threads/cluster-status.ts';
import { safePattern } from './safe-pattern.ts';

/** What goes down again too. */
const gauges = new Set(['cx_active', 'rq_active']);

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
    for (const endpoint of endpoints) {
      const prefix = `${name}::${endpoint.address}::`;
      for (const [name, value] of Object.entries(endpoint.counts)) yield `${prefix}${name}::${value}\n`;
      yield `${prefix}health_flags::${healthFlags[endpoint.health]}\n${prefix}weight::${endpoint.weight}\n`;
    }
  }
}

function clusterJson({ name, endpoints }: ClusterStatus, isStatic: boolean): object {
  return {
    name,
    ...(isStatic ? {} : { added_via_api: true }),
    host_statuses: endpoints.map((endpoint) => ({
      address: { socket_address: { address: endpoint.host, port_value: endpoint.port } },
      stats: Object.entries(endpoint.counts).map(([name, value]) => ({
        type: gauges.has(name) ? 'GAUGE' : 'COUNTER',
        name,
        value: String(value),
      })),
      health_status: { eds_health_status: endpoint.health.toUpperCase() },
      weight: endpoint.weight,
      locality: {},
    })),
    observability_name: name,
  };
}

const healthFlags: Readonly<Record<EndpointStatus['health'], string>> = {
  healthy: 'healthy',
  degraded: '/degraded_eds_health',
  unhealthy: '/failed_eds_health',
  draining: '/eds_status_draining',
};
