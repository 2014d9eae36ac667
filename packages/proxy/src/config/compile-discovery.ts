import { nearestName } from '@heddle/base';
import {
  type Cluster,
  Cluster_DiscoveryType as DiscoveryType,
  Cluster_DnsLookupFamily as Family,
} from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import type { Any } from '@heddle/xds/api/google/protobuf/any.ts';
import { type ClusterConfig, type EndpointList, defaultOverprovisioningPercent } from '../cluster/cluster.ts';
import type { DnsDiscoveryConfig } from '../cluster/dns-discovery.ts';
import type { OriginalDestinationConfig } from '../cluster/original-destination.ts';
import { compileEndpoints } from './compile-endpoints.ts';
import { checkConfigSource } from './config-source.ts';
import { durationMs } from './duration.ts';
import type { ProblemList } from './problem-list.ts';
import { refuseExtension } from './unpack-config.ts';

/** Where a cluster's endpoints come from. */
export interface CompiledDiscovery extends Pick<
  ClusterConfig,
  'isPassthrough' | 'originalDestination' | 'dns'
> {
  /** The name under which EDS has the endpoints; null where they don't come from there. */
  readonly edsName: string | null;
  /** Endpoints given with the cluster; null where they come by EDS or with each request. */
  readonly endpoints: EndpointList | null;
}

export const passthroughType = 'envoy.clusters.dynamic_forward_proxy';

/** Envoy's defaults. */
const defaultRefreshMs = 5000;
const defaultCleanupMs = 5000;
const defaultOriginalHeader = 'x-envoy-original-dst-host';
const maxPort = 65_535;
/** `max_interval` where only `base_interval` is given. */
const defaultBackoffFactor = 10;

const nothing: CompiledDiscovery = {
  isPassthrough: false,
  originalDestination: null,
  dns: null,
  edsName: null,
  endpoints: null,
};

const families = {
  [Family.AUTO]: 'auto',
  [Family.V4_ONLY]: 'v4-only',
  [Family.V6_ONLY]: 'v6-only',
  [Family.V4_PREFERRED]: 'v4-preferred',
  [Family.ALL]: 'all',
} as const;

/** Compiles a cluster's type and what belongs to it. */
export function compileDiscovery(cluster: Cluster, problems: ProblemList): CompiledDiscovery {
  const discovery = cluster.clusterDiscoveryType;
  if (discovery?.$case === 'clusterType') {
    const { name, typedConfig } = discovery.value;
    if (name !== passthroughType) refuseClusterType(name, typedConfig, problems);
    else if (typedConfig !== undefined && typedConfig.value.length > 0)
      problems.unsupported('cluster_type.typed_config');
    return { ...nothing, isPassthrough: true };
  }
  const type = discovery?.value ?? DiscoveryType.STATIC;
  if (type !== DiscoveryType.EDS && cluster.edsClusterConfig !== undefined)
    problems.invalid('eds_cluster_config', 'goes with type EDS only');
  switch (type) {
    case DiscoveryType.EDS: {
      const eds = cluster.edsClusterConfig;
      checkConfigSource(eds?.edsConfig, 'eds_cluster_config.eds_config', problems);
      if (cluster.loadAssignment !== undefined)
        problems.invalid('load_assignment', 'does not go with type EDS');
      const serviceName = eds?.serviceName ?? '';
      return { ...nothing, edsName: serviceName === '' ? cluster.name : serviceName };
    }
    case DiscoveryType.STATIC:
      return { ...nothing, endpoints: assignedEndpoints(cluster, 'STATIC', false, problems) };
    case DiscoveryType.STRICT_DNS:
      return {
        ...nothing,
        dns: compileDns(cluster, false, problems),
        endpoints: assignedEndpoints(cluster, 'STRICT_DNS', true, problems),
      };
    case DiscoveryType.LOGICAL_DNS: {
      const endpoints = assignedEndpoints(cluster, 'LOGICAL_DNS', true, problems);
      if (cluster.loadAssignment !== undefined && endpoints.endpoints.length !== 1)
        problems.invalid('load_assignment', 'must have exactly one endpoint with type LOGICAL_DNS');
      return { ...nothing, dns: compileDns(cluster, true, problems), endpoints };
    }
    case DiscoveryType.ORIGINAL_DST:
      if (cluster.loadAssignment !== undefined)
        problems.invalid('load_assignment', 'does not go with type ORIGINAL_DST');
      return { ...nothing, originalDestination: compileOriginalDestination(cluster, problems) };
    default:
      problems.unsupported('type', String(type));
      return nothing;
  }
}

function assignedEndpoints(
  cluster: Cluster,
  type: string,
  takesNames: boolean,
  problems: ProblemList,
): EndpointList {
  const assignment = cluster.loadAssignment;
  if (assignment !== undefined) return compileEndpoints(assignment, 'load_assignment', problems, takesNames);
  problems.invalid('load_assignment', `is required with type ${type}`);
  return { endpoints: [], overprovisioningPercent: defaultOverprovisioningPercent };
}

function compileDns(cluster: Cluster, isLogical: boolean, problems: ProblemList): DnsDiscoveryConfig {
  const refreshMs = durationMs(cluster.dnsRefreshRate, defaultRefreshMs, 'dns_refresh_rate', problems);
  if (refreshMs < 1) problems.invalid('dns_refresh_rate', 'must be at least 1 ms');
  const failure = cluster.dnsFailureRefreshRate;
  const path = 'dns_failure_refresh_rate';
  const failureBaseMs = durationMs(failure?.baseInterval, refreshMs, `${path}.base_interval`, problems);
  const failureMaxMs = durationMs(
    failure?.maxInterval,
    failure === undefined ? refreshMs : failureBaseMs * defaultBackoffFactor,
    `${path}.max_interval`,
    problems,
  );
  if (failure !== undefined && failureBaseMs < 1)
    problems.invalid(`${path}.base_interval`, 'must be at least 1 ms');
  if (failureMaxMs < failureBaseMs)
    problems.invalid(`${path}.max_interval`, 'must not be less than base_interval');
  return {
    family: families[cluster.dnsLookupFamily as keyof typeof families] ?? 'auto',
    refreshMs,
    respectsTtl: cluster.respectDnsTtl,
    failureBaseMs,
    failureMaxMs,
    jitterMs: durationMs(cluster.dnsJitter, 0, 'dns_jitter', problems),
    isLogical,
    waitsForFirst: cluster.waitForWarmOnInit ?? true,
  };
}

function compileOriginalDestination(cluster: Cluster, problems: ProblemList): OriginalDestinationConfig {
  const cleanupMs = durationMs(cluster.cleanupInterval, defaultCleanupMs, 'cleanup_interval', problems);
  if (cleanupMs === 0) problems.invalid('cleanup_interval', 'must be more than 0');
  const options = cluster.lbConfig?.$case === 'originalDstLbConfig' ? cluster.lbConfig.value : undefined;
  const portOverride = options?.upstreamPortOverride ?? 0;
  if (portOverride > maxPort)
    problems.invalid('original_dst_lb_config.upstream_port_override', `must be 0 to ${maxPort}`);
  const named = options?.httpHeaderName ?? '';
  return {
    headerName:
      options?.useHttpHeader === true ? (named === '' ? defaultOriginalHeader : named.toLowerCase()) : null,
    portOverride,
    cleanupMs,
  };
}

function refuseClusterType(name: string, config: Any | undefined, problems: ProblemList): void {
  const nearest = nearestName(name, [passthroughType]);
  if (nearest === undefined) refuseExtension(name, config, 'cluster_type', problems);
  else problems.unsupported('cluster_type', `the extension ${name}`, `did you mean ${nearest}?`);
}
