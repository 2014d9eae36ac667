/** Clusters of services that objects declare: outside of the mesh, on machines that run no sidecar of ours, or by DNS. */
import { isIP } from 'node:net';
import { assertNever } from '@heddle/base';
import {
  type DeclaredEndpoint,
  type DeclaredPort,
  type DeclaredService,
  endpointPort,
  isInSubset,
} from '@heddle/model';
import type { DeepPartial } from '@heddle/xds';
import {
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  Cluster_LbPolicy,
  type Cluster,
} from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import type { Address } from '@heddle/xds/api/envoy/config/core/v3/address.ts';
import { HealthStatus } from '@heddle/xds/api/envoy/config/core/v3/health_check.ts';
import type {
  LbEndpoint,
  LocalityLbEndpoints,
} from '@heddle/xds/api/envoy/config/endpoint/v3/endpoint_components.ts';
import type { ClusterPlan } from './clusters.ts';
import { adsConfigSource, socketAddress } from './parts.ts';
import { connectionMetadata, isOpaque } from './tcp-link.ts';

/** Istio's; what a name's records say of their own life counts before it. */
const dnsRefreshRate = { seconds: 60, nanos: 0 };

/** An endpoint of one cluster. */
export interface ClusterEndpoint {
  readonly address: DeepPartial<Address>;
  readonly locality: string;
  readonly weight: number;
  readonly takesTunnels: boolean;
  /** Of a cluster whose peers are to show certificates, one that shows none. */
  readonly isPlain: boolean;
}

/** Which of the declared endpoints are endpoints of a cluster; `hasMeshTls`: its peers are to show certificates. */
export function declaredEndpoints(
  plan: ClusterPlan,
  declared: DeclaredService,
  hasMeshTls: boolean,
): ClusterEndpoint[] {
  const port = portOf(plan, declared);
  if (port === undefined) return [];
  const takesNames = declared.resolution === 'DNS' || declared.resolution === 'DNS_ROUND_ROBIN';
  return declared.endpoints.flatMap((endpoint) => {
    const isMember = isInSubset({ name: plan.subset, labels: plan.labels }, endpoint.labels);
    if (!isMember) return [];
    const address = addressOf(endpoint, port, takesNames);
    if (address === null) return [];
    const isPlain = hasMeshTls && endpoint.identity === null;
    return [{ address, locality: endpoint.locality, weight: endpoint.weight, takesTunnels: false, isPlain }];
  });
}

/** Whether endpoints of the service are to show certificates of the mesh: those that have one decide. */
export function expectsMeshTls(declared: DeclaredService): boolean {
  return !declared.isExternal && declared.endpoints.some(({ identity }) => identity !== null);
}

/** The port as it is declared; undefined for one that only instances have. */
export function portOf(plan: Pick<ClusterPlan, 'port'>, declared: DeclaredService): DeclaredPort | undefined {
  return declared.ports.find(({ number }) => number === plan.port);
}

/** How a cluster finds its endpoints. Those of `STATIC` come by EDS. */
export function discoveryOf(
  plan: ClusterPlan,
  resolution: DeclaredService['resolution'],
  endpoints: readonly ClusterEndpoint[],
): DeepPartial<Cluster> {
  switch (resolution) {
    case 'NONE':
      return {
        clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST },
        lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
      };
    case 'DYNAMIC_DNS':
      return {
        clusterDiscoveryType: {
          $case: 'clusterType',
          value: { name: 'envoy.clusters.dynamic_forward_proxy' },
        },
        lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
      };
    case 'STATIC':
      return {
        clusterDiscoveryType: { $case: 'type', value: Cluster_DiscoveryType.EDS },
        edsClusterConfig: { edsConfig: adsConfigSource },
      };
    case 'DNS':
      return byName(plan, Cluster_DiscoveryType.STRICT_DNS, endpoints);
    case 'DNS_ROUND_ROBIN': {
      // Envoy wants exactly one there; without any the cluster is one that has none.
      const type =
        endpoints.length === 1 ? Cluster_DiscoveryType.LOGICAL_DNS : Cluster_DiscoveryType.STRICT_DNS;
      return byName(plan, type, endpoints.slice(0, 1));
    }
    default:
      return assertNever(resolution);
  }
}

function byName(
  plan: ClusterPlan,
  type: Cluster_DiscoveryType,
  endpoints: readonly ClusterEndpoint[],
): DeepPartial<Cluster> {
  return {
    clusterDiscoveryType: { $case: 'type', value: type },
    dnsLookupFamily: Cluster_DnsLookupFamily.V4_PREFERRED,
    dnsRefreshRate,
    respectDnsTtl: true,
    loadAssignment: { clusterName: plan.name, endpoints: byLocality(plan, endpoints) },
  };
}

/** Endpoints by the place where they are; those of nowhere in particular together. */
export function byLocality(
  plan: Pick<ClusterPlan, 'protocol'>,
  endpoints: readonly ClusterEndpoint[],
): DeepPartial<LocalityLbEndpoints>[] {
  return [...Map.groupBy(endpoints, ({ locality }) => locality)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([locality, members]) => {
      const [region = '', zone = '', ...rest] = locality.split('/');
      return {
        locality: locality === '' ? undefined : { region, zone, subZone: rest.join('/') },
        lbEndpoints: members.map((member) => lbEndpoint(plan, member)),
      };
    });
}

function lbEndpoint(
  { protocol }: Pick<ClusterPlan, 'protocol'>,
  { address, weight, takesTunnels, isPlain }: ClusterEndpoint,
): DeepPartial<LbEndpoint> {
  return {
    hostIdentifier: { $case: 'endpoint', value: { address } },
    healthStatus: HealthStatus.HEALTHY,
    metadata: connectionMetadata(isOpaque(protocol) ? takesTunnels : null, isPlain),
    ...(weight === 1 ? {} : { loadBalancingWeight: weight }),
  };
}

/** Null where an endpoint can't be reached so: names need DNS, and addresses need to be some. */
function addressOf(
  endpoint: DeclaredEndpoint,
  port: DeclaredPort,
  takesNames: boolean,
): DeepPartial<Address> | null {
  const { address } = endpoint;
  if (address.startsWith('unix://')) {
    if (takesNames) return null;
    return { address: { $case: 'pipe', value: { path: address.slice('unix://'.length) } } };
  }
  if (address === '' || (!takesNames && isIP(address) === 0)) return null;
  return socketAddress({ address, port: endpointPort(endpoint, port) });
}
