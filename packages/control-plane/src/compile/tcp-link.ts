/**
 * The link between sidecars for TCP: a connection of an application is a stream of HTTP/2 that CONNECT opens, over mTLS
 * connections that many share, as in Istio's HBONE. A sidecar that doesn't know it gets connections of their own, TCP over
 * mTLS: by ALPN the side that is called sees which of the two it is.
 */
import { type DeepPartial, packAny, TypeUrl } from '@heddle/xds';
import type { Metadata } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import type { Http2ProtocolOptions } from '@heddle/xds/api/envoy/config/core/v3/protocol.ts';
import type { Filter, FilterChain } from '@heddle/xds/api/envoy/config/listener/v3/listener_components.ts';
import type { VirtualHost } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import type { HttpConnectionManager } from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { accessLog, connectionManager } from './connection-manager.ts';
import type { SidecarNode } from './node-metadata.ts';

/** What a port's protocol is called whose bytes nobody looks at. */
export const opaqueProtocol = 'tcp';

/** Whether a port's bytes are nobody's business: those of TLS that the application itself speaks are not, either. */
export function isOpaque(protocol: string): boolean {
  return protocol === opaqueProtocol || protocol === 'tls';
}

/** By ALPN, and in metadata, as Istio calls it. */
export const tunnelProtocol = 'h2';

/** So many streams share a link, of HTTP as of TCP; the next one opens another. */
export const maxLinkStreams = 128;
/**
 * A link takes no more streams after an hour, and the next one opens another: long enough to cost nothing, and short enough for
 * certificates, roots and addresses that have changed to be looked at again.
 */
export const linkAge = { seconds: 3600, nanos: 0 };
const streamWindow = 256 * 1024;

/**
 * For both ends of a link: its own window holds all that its streams' windows hold, so that no connection whose reader has
 * stopped holds the others up.
 */
export const linkOptions: DeepPartial<Http2ProtocolOptions> = {
  allowConnect: true,
  maxConcurrentStreams: maxLinkStreams,
  initialStreamWindowSize: streamWindow,
  initialConnectionWindowSize: maxLinkStreams * streamWindow,
};

/** Marks endpoints to which no certificate is shown, as Istio does. */
export const plainMark = { tlsMode: 'disabled' };

/**
 * Says of an endpoint how connections to it are made. `takesTunnels`: as streams; null where there are none, and without it
 * proxies would hold that there are.
 */
export function connectionMetadata(
  takesTunnels: boolean | null,
  isPlain: boolean,
): DeepPartial<Metadata> | undefined {
  if (takesTunnels === null && !isPlain) return undefined;
  const tunnel = takesTunnels === true && !isPlain ? tunnelProtocol : 'none';
  return {
    filterMetadata: {
      'envoy.transport_socket_match': {
        ...(takesTunnels === null ? {} : { tunnel }),
        ...(isPlain ? plainMark : {}),
      },
    },
  };
}

/** Ends CONNECT and gives the application its bytes; whatever address the caller has for it, it leads to this one port. */
export function tunnelEnd(node: SidecarNode, cluster: string): DeepPartial<FilterChain> {
  const noLimit = { seconds: 0, nanos: 0 };
  const upgradeConfigs = [{ upgradeType: 'CONNECT', connectConfig: {} }];
  const host: DeepPartial<VirtualHost> = {
    name: `inbound|tcp|${node.servicePort}`,
    domains: ['*'],
    routes: [
      {
        name: 'default',
        match: { pathSpecifier: { $case: 'connectMatcher', value: {} } },
        action: {
          $case: 'route',
          value: {
            clusterSpecifier: { $case: 'cluster', value: cluster },
            timeout: noLimit,
            idleTimeout: noLimit,
            upgradeConfigs,
          },
        },
      },
    ],
  };
  const manager: DeepPartial<HttpConnectionManager> = {
    ...connectionManager(node, 'inbound'),
    http2ProtocolOptions: linkOptions,
    upgradeConfigs: [{ upgradeType: 'CONNECT' }],
    // The client's side ends what stands still.
    streamIdleTimeout: noLimit,
    routeSpecifier: {
      $case: 'routeConfig',
      value: { name: cluster, virtualHosts: [host], validateClusters: false },
    },
  };
  const config = packAny(TypeUrl.httpConnectionManager, manager);
  return {
    name: 'tunnel',
    filterChainMatch: { transportProtocol: 'tls', applicationProtocols: [tunnelProtocol] },
    filters: [
      {
        name: 'envoy.filters.network.http_connection_manager',
        configType: { $case: 'typedConfig', value: config },
      },
    ],
  };
}

/** What becomes of a TCP connection. `tunnelTo`: by a stream to this authority, where the endpoint takes such. */
export function tcpProxy(
  node: Pick<SidecarNode, 'accessLog'>,
  statPrefix: string,
  cluster: string,
  tunnelTo: string | null = null,
): DeepPartial<Filter> {
  const config = packAny(TypeUrl.tcpProxy, {
    statPrefix,
    clusterSpecifier: { $case: 'cluster', value: cluster },
    ...(tunnelTo === null ? {} : { tunnelingConfig: { hostname: tunnelTo } }),
    accessLog: accessLog(node.accessLog),
  });
  return { name: 'envoy.filters.network.tcp_proxy', configType: { $case: 'typedConfig', value: config } };
}
