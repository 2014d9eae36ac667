/** The two listeners that the packet filter leads connections to, with Istio's names and ports. */
import { type DeepPartial, packAny, TypeUrl } from '@heddle/xds';
import { TrafficDirection } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import type { Listener } from '@heddle/xds/api/envoy/config/listener/v3/listener.ts';
import type { Filter, ListenerFilter } from '@heddle/xds/api/envoy/config/listener/v3/listener_components.ts';
import { connectionManager } from './connection-manager.ts';
import { interceptedRoutesName, originalDestinationCluster, passthroughFamilies } from './names.ts';
import type { Bind, Interception, SidecarNode } from './node-metadata.ts';
import { adsConfigSource } from './parts.ts';
import { tcpProxy } from './tcp-link.ts';

/** How long a client may be silent before its protocol is taken for one in which the server speaks first. */
export const detectionTimeout = { seconds: 0, nanos: 300_000_000 };

type InterceptingNode = Pick<SidecarNode, 'namespace' | 'accessLog'>;

export function interceptionListeners(
  node: InterceptingNode,
  interception: Interception,
): DeepPartial<Listener>[] {
  return [outboundListener(node, interception), inboundListener(node, interception)];
}

/** What programs send: HTTP is routed by its authority as everywhere in the mesh, the rest goes where it was going. */
function outboundListener(node: InterceptingNode, { outbound }: Interception): DeepPartial<Listener> {
  const name = 'virtualOutbound';
  const manager = packAny(TypeUrl.httpConnectionManager, {
    ...connectionManager(node, name),
    routeSpecifier: {
      $case: 'rds',
      value: { configSource: adsConfigSource, routeConfigName: interceptedRoutesName(node.namespace) },
    },
  });
  return {
    name,
    address: bothFamilies(outbound),
    trafficDirection: TrafficDirection.OUTBOUND,
    listenerFilters: [
      listenerFilter('original_dst', packAny(TypeUrl.originalDst, {})),
      listenerFilter('http_inspector', packAny(TypeUrl.httpInspector, {})),
    ],
    listenerFiltersTimeout: detectionTimeout,
    continueOnListenerFiltersTimeout: true,
    filterChains: [
      {
        name: 'http',
        filterChainMatch: { applicationProtocols: ['http/1.0', 'http/1.1'] },
        filters: [filter('envoy.filters.network.http_connection_manager', manager)],
      },
    ],
    defaultFilterChain: { name: 'opaque', filters: [tcpProxy(node, name, originalDestinationCluster)] },
  };
}

/**
 * What others send to this machine past the mesh: it reaches what it would have reached without interception, and nothing
 * more. The application's port on loopback is open to the mTLS listener only.
 */
function inboundListener(
  node: InterceptingNode,
  { mode, inbound, mark }: Interception,
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
      filters: [tcpProxy(node, name, cluster)],
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
