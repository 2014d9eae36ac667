import { nearestName } from '@heddle/base';
import {
  type Cluster,
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_LbPolicy as LbPolicy,
} from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import type { Any } from '@heddle/xds/api/google/protobuf/any.ts';
import { compileCircuitBreakers } from './compile-circuit-breakers.ts';
import type { ClusterConfig, EndpointConfig } from '../cluster/cluster.ts';
import { compileEndpoints } from './compile-endpoints.ts';
import { compileUpstreamTls } from './compile-tls.ts';
import { compileConnectionLimits } from './compile-upstream-http.ts';
import { checkConfigSource } from './config-source.ts';
import type { ProblemList } from './problem-list.ts';
import { type TlsMaterials, noMaterials } from './tls-materials.ts';
import { refuseExtension } from './unpack-config.ts';

/** A cluster as its resource describes it. */
export interface CompiledCluster {
  readonly config: ClusterConfig;
  /** The name under which EDS has its endpoints; null where it doesn't come from there. */
  readonly edsName: string | null;
  /** Endpoints given with the cluster; null where they come by EDS or with each request. */
  readonly endpoints: readonly EndpointConfig[] | null;
}

const passthroughType = 'envoy.clusters.dynamic_forward_proxy';

/**
 * Compiles a cluster. Accepted without effect: `metadata`, `alt_stat_name`, `per_connection_buffer_limit_bytes` (our
 * buffers are bounded by the transport) and the DNS settings of clusters that ask no DNS.
 */
export function compileCluster(
  cluster: Cluster,
  problems: ProblemList,
  materials: TlsMaterials = noMaterials,
): CompiledCluster {
  if (cluster.name === '') problems.invalid('name', 'must not be empty');
  refuseUnfinished(cluster, problems);
  const isPassthrough = cluster.clusterDiscoveryType?.$case === 'clusterType';
  checkPolicy(cluster, isPassthrough, problems);
  const config: ClusterConfig = {
    name: cluster.name,
    connections: compileConnectionLimits(cluster, problems),
    breakers: compileCircuitBreakers(cluster.circuitBreakers, problems),
    tls: compileUpstreamTls(cluster.transportSocket, 'transport_socket', problems, materials),
    dropsConnectionsOfUnhealthy: cluster.closeConnectionsOnHostHealthFailure,
    isPassthrough,
  };
  return { config, ...compileDiscovery(cluster, problems) };
}

/** What the API has and the cluster doesn't do yet. */
function refuseUnfinished(cluster: Cluster, problems: ProblemList): void {
  const fields: readonly (readonly [string, unknown])[] = [
    ['cleanup_interval', cluster.cleanupInterval],
    ['common_lb_config', cluster.commonLbConfig],
    ['lb_config', cluster.lbConfig],
    ['dns_failure_refresh_rate', cluster.dnsFailureRefreshRate],
    ['dns_jitter', cluster.dnsJitter],
    ['upstream_bind_config', cluster.upstreamBindConfig],
  ];
  for (const [path, value] of fields) if (value !== undefined) problems.unsupported(path);
}

function checkPolicy(cluster: Cluster, isPassthrough: boolean, problems: ProblemList): void {
  const wanted = isPassthrough ? LbPolicy.CLUSTER_PROVIDED : LbPolicy.ROUND_ROBIN;
  if (cluster.lbPolicy === wanted) return;
  const name = nameOf(LbPolicy, cluster.lbPolicy);
  if (isPassthrough)
    problems.invalid('lb_policy', `${name} does not go with ${passthroughType}`, 'use CLUSTER_PROVIDED');
  else problems.unsupported('lb_policy', name);
}

function compileDiscovery(
  cluster: Cluster,
  problems: ProblemList,
): { readonly edsName: string | null; readonly endpoints: readonly EndpointConfig[] | null } {
  const discovery = cluster.clusterDiscoveryType;
  if (discovery?.$case === 'clusterType') {
    const { name, typedConfig } = discovery.value;
    if (name !== passthroughType) refuseClusterType(name, typedConfig, problems);
    else if (typedConfig !== undefined && typedConfig.value.length > 0)
      problems.unsupported('cluster_type.typed_config');
    return { edsName: null, endpoints: null };
  }
  const type = discovery?.value ?? DiscoveryType.STATIC;
  switch (type) {
    case DiscoveryType.EDS: {
      const eds = cluster.edsClusterConfig;
      checkConfigSource(eds?.edsConfig, 'eds_cluster_config.eds_config', problems);
      if (cluster.loadAssignment !== undefined)
        problems.invalid('load_assignment', 'does not go with type EDS');
      const serviceName = eds?.serviceName ?? '';
      return { edsName: serviceName === '' ? cluster.name : serviceName, endpoints: null };
    }
    case DiscoveryType.STATIC: {
      const assignment = cluster.loadAssignment;
      if (assignment === undefined) problems.invalid('load_assignment', 'is required with type STATIC');
      const endpoints =
        assignment === undefined ? [] : compileEndpoints(assignment, 'load_assignment', problems);
      return { edsName: null, endpoints };
    }
    default:
      problems.unsupported('type', nameOf(DiscoveryType, type));
      return { edsName: null, endpoints: [] };
  }
}

function refuseClusterType(name: string, config: Any | undefined, problems: ProblemList): void {
  const nearest = nearestName(name, [passthroughType]);
  if (nearest === undefined) refuseExtension(name, config, 'cluster_type', problems);
  else problems.unsupported('cluster_type', `the extension ${name}`, `did you mean ${nearest}?`);
}

/** The name of an enum's number, for people. */
function nameOf(names: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(names).find(([, number]) => number === value)?.[0] ?? String(value);
}
