/** The two listeners that the packet filter leads connections to, with Istio's names and ports. */
import { type DeepPartial, packAny, TypeUrl } from '@heddle/xds';
import type { CidrRange } from '@heddle/xds/api/envoy/config/core/v3/address.ts';
import { TrafficDirection } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import type { Listener } from '@heddle/xds/api/envoy/config/listener/v3/listener.ts';
import type {
  Filter,
  FilterChain,
  FilterChainMatch,
  ListenerFilter,
} from '@heddle/xds/api/envoy/config/listener/v3/listener_components.ts';
import { connectionManager } from './connection-manager.ts';
import { interceptedRoutesName, originalDestinationCluster, passthroughFamilies } from './names.ts';
import type { Bind, Interception, SidecarNode } from './node-metadata.ts';
import { adsConfigSource } from './parts.ts';
import { outboundFilters } from './route-filters.ts';
import { tcpProxy } from './tcp-link.ts';

/** How long a client may be silent before its protocol is taken for one in which the server speaks first. */
export const detectionTimeout = { seconds: 0, nanos: 300_000_000 };

/** HTTP in the clear: TLS may carry it, too, and says so, but then it is nobody's here. */
export const plainHttp: DeepPartial<FilterChainMatch> = {
  transportProtocol: 'raw_buffer',
  applicationProtocols: ['http/1.0', 'http/1.1', 'h2c'],
};

export const virtualOutboundName = 'virtualOutbound';

type InterceptingNode = Pick<SidecarNode, 'namespace' | 'accessLog'>;

/** A port whose bytes nobody looks at: known by its host's address, or by the name that TLS asks for. */
export interface OpaqueDestination {
  readonly cluster: string;
  /** Empty for every address. */
  readonly ranges: readonly DeepPartial<CidrRange>[];
  /** Empty for connections that need not be TLS. */
  readonly serverNames: readonly string[];
  readonly port: number;
  /** As of `tcpProxy`. */
  readonly tunnelTo: string | null;
}

/**
 * What programs send: connections to TCP services by where they go, HTTP by its authority as everywhere in the mesh, the rest
 * goes to the cluster `rest`: where it was going, unless that is not allowed.
 */
export function virtualOutbound(
  node: InterceptingNode,
  { outbound }: Interception,
  opaque: readonly OpaqueDestination[],
  rest: string = originalDestinationCluster,
): DeepPartial<Listener> {
  const name = virtualOutboundName;
  const manager = packAny(TypeUrl.httpConnectionManager, {
    ...connectionManager(node, name, outboundFilters),
    routeSpecifier: {
      $case: 'rds',
      value: { configSource: adsConfigSource, routeConfigName: interceptedRoutesName(node.namespace) },
    },
  });
  // A chain that names a port keeps those that name none out: what else goes to that port may be HTTP, too.
  const ports = new Set([0, ...opaque.map(({ port }) => port)]);
  const http = [...ports].map((port) => ({
    name: port === 0 ? 'http' : `http:${port}`,
    filterChainMatch: {
      ...(port === 0 ? {} : { destinationPort: port }),
      ...plainHttp,
    },
    filters: [filter('envoy.filters.network.http_connection_manager', manager)],
  }));
  const isByName = opaque.some(({ serverNames }) => serverNames.length > 0);
  return {
    name,
    address: bothFamilies(outbound),
    trafficDirection: TrafficDirection.OUTBOUND,
    listenerFilters: [
      listenerFilter('original_dst', packAny(TypeUrl.originalDst, {})),
      ...(isByName ? [listenerFilter('tls_inspector', packAny(TypeUrl.tlsInspector, {}))] : []),
      listenerFilter('http_inspector', packAny(TypeUrl.httpInspector, {})),
    ],
    listenerFiltersTimeout: detectionTimeout,
    continueOnListenerFiltersTimeout: true,
    filterChains: [...http, ...opaque.map((destination) => opaqueChain(node, destination))],
    defaultFilterChain: { name: 'opaque', filters: [tcpProxy(node, name, rest)] },
  };
}

function opaqueChain(
  node: InterceptingNode,
  { cluster, ranges, serverNames, port, tunnelTo }: OpaqueDestination,
): DeepPartial<FilterChain> {
  const isByName = serverNames.length > 0;
  return {
    name: isByName ? `${cluster}|tls` : cluster,
    filterChainMatch: {
      destinationPort: port,
      prefixRanges: [...ranges],
      ...(isByName ? { serverNames: [...serverNames], transportProtocol: 'tls' } : {}),
    },
    filters: [tcpProxy(node, cluster, cluster, tunnelTo)],
  };
}

/**
 * What others send to this machine past the mesh: it reaches what it would have reached without interception, and nothing
 * more, where `filters` let it. The application's port on loopback is open to the mTLS listener only.
 */
export function virtualInbound(
  node: InterceptingNode,
  { mode, inbound, mark }: Interception,
  filters: readonly DeepPartial<Filter>[],
): DeepPartial<Listener> {
  const name = 'virtualInbound';
  const source = listenerFilter('original_src', packAny(TypeUrl.originalSrc, { mark }));
  return {
    name,
    address: bothFamilies(inbound),
    trafficDirection: TrafficDirection.INBOUND,
    ...(mode === 'TPROXY' ? { transparent: true } : {}),
    listenerFilters: [
      listenerFilter('original_dst', packAny(TypeUrl.originalDst, {})),
      ...(mode === 'TPROXY' ? [source] : []),
    ],
    filterChains: passthroughFamilies.map(({ name: cluster, network }) => ({
      name: cluster,
      filterChainMatch: { prefixRanges: [{ addressPrefix: network, prefixLen: 0 }] },
      filters: [...filters, tcpProxy(node, name, cluster)],
    })),
  };
}

function bothFamilies({ address, port }: Bind): NonNullable<DeepPartial<Listener>['address']> {
  const ipv4Compat = address === '::';
  const portSpecifier = { $case: 'portValue' as const, value: port };
  return { address: { $case: 'socketAddress', value: { address, ipv4Compat, portSpecifier } } };
}

type Any = ReturnType<typeof packAny>;

function filter(name: string, value: Any): DeepPartial<Filter> {
  return { name, configType: { $case: 'typedConfig', value } };
}

export function listenerFilter(name: string, value: Any): DeepPartial<ListenerFilter> {
  return { name: `envoy.filters.listener.${name}`, configType: { $case: 'typedConfig', value } };
}
