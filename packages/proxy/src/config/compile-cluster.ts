import type { Cluster } from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import type { ClusterConfig } from '../cluster/cluster.ts';
import type { ConnectionSource } from '../transport/transport.ts';
import { compileAddress } from './compile-address.ts';
import { compileBalancing } from './compile-balancing.ts';
import { compileCircuitBreakers } from './compile-circuit-breakers.ts';
import { type CompiledDiscovery, compileDiscovery } from './compile-discovery.ts';
import { compileTransportMatches } from './compile-transport-matches.ts';
import { compileUpstreamTransport } from './compile-upstream-transport.ts';
import { compileConnectionLimits } from './compile-upstream-http.ts';
import type { ProblemList } from './problem-list.ts';
import { type TlsMaterials, noMaterials } from './tls-materials.ts';

/** A cluster as its resource describes it. */
export interface CompiledCluster extends Pick<CompiledDiscovery, 'edsName' | 'endpoints'> {
  readonly config: ClusterConfig;
}

/**
 * Compiles a cluster. Accepted without effect: `metadata`, `alt_stat_name`, `per_connection_buffer_limit_bytes` (our
 * buffers are bounded by the transport), `ignore_health_on_host_removal` (an endpoint that has left the list is gone,
 * whatever its health), and the DNS settings of clusters that ask no DNS.
 */
export function compileCluster(
  cluster: Cluster,
  problems: ProblemList,
  materials: TlsMaterials = noMaterials,
): CompiledCluster {
  if (cluster.name === '') problems.invalid('name', 'must not be empty');
  const discovery = compileDiscovery(cluster, problems);
  const { isPassthrough, originalDestination, dns, edsName, endpoints } = discovery;
  const connections = compileConnectionLimits(cluster, problems);
  const transport = compileUpstreamTransport(
    cluster.transportSocket,
    'transport_socket',
    problems,
    materials,
  );
  const transportMatches = compileTransportMatches(cluster.transportSocketMatches, problems, materials);
  if (connections.protocol === 'auto' && transport.tls === null) {
    problems.invalid('transport_socket', 'auto_config goes by what TLS agrees on (ALPN): it needs TLS');
  }
  const config: ClusterConfig = {
    name: cluster.name,
    connections,
    breakers: compileCircuitBreakers(cluster.circuitBreakers, problems),
    source: compileSource(cluster, problems),
    ...transport,
    transportMatches,
    dropsConnectionsOfUnhealthy: cluster.closeConnectionsOnHostHealthFailure,
    isPassthrough,
    originalDestination,
    dns,
    balancing: compileBalancing(cluster, discovery, problems),
  };
  return { config, edsName, endpoints };
}

/** The address that connections come from; its port is the system's choice. */
function compileSource(cluster: Cluster, problems: ProblemList): ConnectionSource | null {
  const { upstreamBindConfig } = cluster;
  if (upstreamBindConfig === undefined) return null;
  const { sourceAddress } = upstreamBindConfig;
  const path = 'upstream_bind_config.source_address';
  const asAddress =
    sourceAddress === undefined
      ? undefined
      : { address: { $case: 'socketAddress' as const, value: sourceAddress } };
  const address = compileAddress(asAddress, path, problems);
  if (address === null) return null;
  if (address.port !== 0) problems.unsupported(`${path}.port_value`, 'a port of its own');
  return { host: address.host, isTransparent: false, mark: 0 };
}
