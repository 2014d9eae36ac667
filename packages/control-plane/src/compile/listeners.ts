/** A sidecar's listeners: inbound mTLS, the plain one for browsers, the proxy. */
import { type DeepPartial, encodeMessage, packAny, TypeUrl } from '@heddle/xds';
import { TrafficDirection, type TransportSocket } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import type { Listener } from '@heddle/xds/api/envoy/config/listener/v3/listener.ts';
import {
  HttpConnectionManager_ForwardClientCertDetails,
  HttpConnectionManager_ServerHeaderTransformation,
  type HttpConnectionManager,
  type HttpFilter,
} from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { certificateSecret, inboundClusterName, proxyRoutesName } from './names.ts';
import type { WorkloadFilters } from './authorization/workload-filters.ts';
import type { Bind, SidecarNode } from './node-metadata.ts';
import { adsConfigSource, linkProtocols, socketAddress, tlsValidation, tlsVersion13 } from './parts.ts';
import { connectionManager } from './connection-manager.ts';
import { inboundChains } from './inbound-modes.ts';
import { virtualInbound } from './interception-listeners.ts';
import { outboundFilters } from './route-filters.ts';
import { catchAll } from './routes.ts';
import { opaqueProtocol, tcpProxy, tunnelEnd, tunnelProtocol } from './tcp-link.ts';

/** Encoded listeners by name, without those that are the mesh's affair too: for dependencies, names, and what is intercepted. */
export function compileListeners(node: SidecarNode, filters: WorkloadFilters): Map<string, Uint8Array> {
  const listeners: DeepPartial<Listener>[] = [];
  const hasApplication = node.appPort > 0;
  const isOpaque = node.protocol === opaqueProtocol;
  if (node.inbound !== null && hasApplication) {
    listeners.push(
      isOpaque
        ? opaqueInboundListener(node, node.inbound, filters)
        : inboundListener(node, node.inbound, filters),
    );
  }
  if (node.expose !== null && hasApplication && !isOpaque)
    listeners.push(exposeListener(node, node.expose, filters));
  if (node.outboundProxy !== null) {
    listeners.push(
      outboundListener(node, 'outbound-proxy', node.outboundProxy, proxyRoutesName(node.namespace)),
    );
  }
  if (node.interception !== null)
    listeners.push(virtualInbound(node, node.interception, filters.strayConnections));
  return new Map(
    listeners.map((listener) => [listener.name ?? '', encodeMessage(TypeUrl.listener, listener)]),
  );
}

/** The same for an application whose bytes are nobody's business: as streams of a link, or as they are. */
function opaqueInboundListener(
  node: SidecarNode,
  bind: Bind,
  { connections, mtls }: WorkloadFilters,
): DeepPartial<Listener> {
  const cluster = inboundClusterName(node.servicePort);
  const tunnel = tunnelEnd(node, cluster);
  const filters = [...connections, tcpProxy(node, 'inbound', cluster)];
  const tunnels = {
    ...tunnel,
    filters: [...connections, ...(tunnel.filters ?? [])],
    transportSocket: meshTls([tunnelProtocol]),
  };
  const relayed = { name: 'tcp', filters, transportSocket: meshTls([]) };
  return {
    name: 'inbound',
    address: socketAddress(bind),
    trafficDirection: TrafficDirection.INBOUND,
    ...inboundChains(mtls, {
      secure: node.hasTunnels ? [tunnels, relayed] : [relayed],
      plain: { name: 'plain', filters },
      mayWaitForServer: true,
    }),
  };
}

/** Callers have to have a certificate of the mesh. */
function meshTls(alpnProtocols: string[]): DeepPartial<TransportSocket> {
  const tls = packAny(TypeUrl.downstreamTlsContext, {
    commonTlsContext: {
      tlsParams: tlsVersion13,
      tlsCertificateSdsSecretConfigs: [{ name: certificateSecret, sdsConfig: adsConfigSource }],
      validationContextType: tlsValidation([]),
      alpnProtocols,
    },
    requireClientCertificate: true,
  });
  return { name: 'envoy.transport_sockets.tls', configType: { $case: 'typedConfig', value: tls } };
}

/** Other sidecars' way to the application. Who calls is told to it in X-Forwarded-Client-Cert, whatever the caller says. */
function inboundListener(node: SidecarNode, bind: Bind, filters: WorkloadFilters): DeepPartial<Listener> {
  const { filterChains, ...listener } = httpListener(
    { name: 'inbound', bind, direction: TrafficDirection.INBOUND },
    {
      ...toApplication(node, 'inbound', filters),
      forwardClientCertDetails: HttpConnectionManager_ForwardClientCertDetails.SANITIZE_SET,
      setCurrentClientCertDetails: { uri: true },
    },
  );
  const chain = filterChains?.[0] ?? {};
  return {
    ...listener,
    ...inboundChains(filters.mtls, {
      secure: [{ ...chain, transportSocket: meshTls(linkProtocols) }],
      plain: chain,
      mayWaitForServer: false,
    }),
  };
}

/** Browsers' way to the application: an edge, so what only the mesh may say is removed. */
function exposeListener(node: SidecarNode, bind: Bind, filters: WorkloadFilters): DeepPartial<Listener> {
  return httpListener(
    { name: 'expose', bind, direction: TrafficDirection.INBOUND },
    { ...toApplication(node, 'expose', filters), useRemoteAddress: true },
  );
}

/** The application's way to others. */
export function outboundListener(
  node: SidecarNode,
  name: string,
  bind: Bind,
  routeConfigName: string,
): DeepPartial<Listener> {
  return httpListener(
    { name, bind, direction: TrafficDirection.OUTBOUND },
    {
      ...connectionManager(node, name, outboundFilters),
      routeSpecifier: { $case: 'rds', value: { configSource: adsConfigSource, routeConfigName } },
    },
  );
}

/** As in Istio, where a port's protocol is GRPC-Web: its application speaks gRPC, and web pages may call it. */
const grpcWeb: DeepPartial<HttpFilter> = {
  name: 'envoy.filters.http.grpc_web',
  configType: { $case: 'typedConfig', value: packAny(TypeUrl.grpcWeb, {}) },
};

function toApplication(
  node: SidecarNode,
  statPrefix: string,
  { requests }: WorkloadFilters,
): DeepPartial<HttpConnectionManager> {
  const cluster = inboundClusterName(node.servicePort);
  const routeConfig = {
    name: cluster,
    virtualHosts: [catchAll(`inbound|http|${node.servicePort}`, cluster)],
    validateClusters: false,
  };
  const filters = node.protocol === 'grpc-web' ? [...requests, grpcWeb] : requests;
  return {
    ...connectionManager(node, statPrefix, filters),
    routeSpecifier: { $case: 'routeConfig', value: routeConfig },
    // The application's own Server header stays.
    serverHeaderTransformation: HttpConnectionManager_ServerHeaderTransformation.PASS_THROUGH,
  };
}

function httpListener(
  {
    name,
    bind,
    direction,
  }: { readonly name: string; readonly bind: Bind; readonly direction: TrafficDirection },
  manager: DeepPartial<HttpConnectionManager>,
): DeepPartial<Listener> {
  const config = packAny(TypeUrl.httpConnectionManager, manager);
  return {
    name,
    address: socketAddress(bind),
    trafficDirection: direction,
    filterChains: [
      {
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            configType: { $case: 'typedConfig', value: config },
          },
        ],
      },
    ],
  };
}
