// Which code reads and writes the message behind each type URL.
import { HTTPFault } from './generated/envoy/extensions/filters/http/fault/v3/fault.ts';
import { Cluster } from './generated/envoy/config/cluster/v3/cluster.ts';
import { ClusterLoadAssignment } from './generated/envoy/config/endpoint/v3/endpoint.ts';
import { Listener } from './generated/envoy/config/listener/v3/listener.ts';
import { FilterConfig, VirtualHost } from './generated/envoy/config/route/v3/route_components.ts';
import { RouteConfiguration } from './generated/envoy/config/route/v3/route.ts';
import { FileAccessLog } from './generated/envoy/extensions/access_loggers/file/v3/file.ts';
import {
  StderrAccessLog,
  StdoutAccessLog,
} from './generated/envoy/extensions/access_loggers/stream/v3/stream.ts';
import { Cors, CorsPolicy } from './generated/envoy/extensions/filters/http/cors/v3/cors.ts';
import { Config as GrpcHttp1Bridge } from './generated/envoy/extensions/filters/http/grpc_http1_bridge/v3/config.ts';
import { FilterConfig as GrpcStats } from './generated/envoy/extensions/filters/http/grpc_stats/v3/config.ts';
import { GrpcWeb } from './generated/envoy/extensions/filters/http/grpc_web/v3/grpc_web.ts';
import { RBAC as HttpRbac, RBACPerRoute } from './generated/envoy/extensions/filters/http/rbac/v3/rbac.ts';
import { PreserveCaseFormatterConfig } from './generated/envoy/extensions/http/header_formatters/preserve_case/v3/preserve_case.ts';
import { Router } from './generated/envoy/extensions/filters/http/router/v3/router.ts';
import { HttpInspector } from './generated/envoy/extensions/filters/listener/http_inspector/v3/http_inspector.ts';
import { OriginalDst } from './generated/envoy/extensions/filters/listener/original_dst/v3/original_dst.ts';
import { OriginalSrc } from './generated/envoy/extensions/filters/listener/original_src/v3/original_src.ts';
import { ProxyProtocol } from './generated/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol.ts';
import { TlsInspector } from './generated/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.ts';
import { ConnectionLimit } from './generated/envoy/extensions/filters/network/connection_limit/v3/connection_limit.ts';
import { HttpConnectionManager } from './generated/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { RBAC as NetworkRbac } from './generated/envoy/extensions/filters/network/rbac/v3/rbac.ts';
import { TcpProxy } from './generated/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.ts';
import { DnsFilterConfig } from './generated/envoy/extensions/filters/udp/dns_filter/v3/dns_filter.ts';
import { DownstreamConnectionsConfig } from './generated/envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections.ts';
import { AllowListedRoutesConfig } from './generated/envoy/extensions/internal_redirect/allow_listed_routes/v3/allow_listed_routes_config.ts';
import { PreviousRoutesConfig } from './generated/envoy/extensions/internal_redirect/previous_routes/v3/previous_routes_config.ts';
import { SafeCrossSchemeConfig } from './generated/envoy/extensions/internal_redirect/safe_cross_scheme/v3/safe_cross_scheme_config.ts';
import { PreviousHostsPredicate } from './generated/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.ts';
import { ProxyProtocolUpstreamTransport } from './generated/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.ts';
import { RawBuffer } from './generated/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.ts';
import { Secret } from './generated/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import {
  DownstreamTlsContext,
  UpstreamTlsContext,
} from './generated/envoy/extensions/transport_sockets/tls/v3/tls.ts';
import { HttpProtocolOptions } from './generated/envoy/extensions/upstreams/http/v3/http_protocol_options.ts';
import type { DeepPartial, MessageFns } from './generated/google/protobuf/any.ts';
import { TypeUrl } from './type-url.ts';

export type { DeepPartial };

const messageTypes = {
  [TypeUrl.listener]: Listener,
  [TypeUrl.routeConfiguration]: RouteConfiguration,
  [TypeUrl.virtualHost]: VirtualHost,
  [TypeUrl.cluster]: Cluster,
  [TypeUrl.clusterLoadAssignment]: ClusterLoadAssignment,
  [TypeUrl.secret]: Secret,
  [TypeUrl.httpConnectionManager]: HttpConnectionManager,
  [TypeUrl.router]: Router,
  [TypeUrl.preserveCase]: PreserveCaseFormatterConfig,
  [TypeUrl.grpcStats]: GrpcStats,
  [TypeUrl.grpcWeb]: GrpcWeb,
  [TypeUrl.grpcHttp1Bridge]: GrpcHttp1Bridge,
  [TypeUrl.httpFault]: HTTPFault,
  [TypeUrl.httpRbac]: HttpRbac,
  [TypeUrl.cors]: Cors,
  [TypeUrl.corsPolicy]: CorsPolicy,
  [TypeUrl.httpRbacPerRoute]: RBACPerRoute,
  [TypeUrl.networkRbac]: NetworkRbac,
  [TypeUrl.routeFilterConfig]: FilterConfig,
  [TypeUrl.connectionLimit]: ConnectionLimit,
  [TypeUrl.tcpProxy]: TcpProxy,
  [TypeUrl.originalDst]: OriginalDst,
  [TypeUrl.originalSrc]: OriginalSrc,
  [TypeUrl.proxyProtocol]: ProxyProtocol,
  [TypeUrl.tlsInspector]: TlsInspector,
  [TypeUrl.httpInspector]: HttpInspector,
  [TypeUrl.rawBuffer]: RawBuffer,
  [TypeUrl.upstreamProxyProtocol]: ProxyProtocolUpstreamTransport,
  [TypeUrl.previousHosts]: PreviousHostsPredicate,
  [TypeUrl.previousRoutes]: PreviousRoutesConfig,
  [TypeUrl.allowListedRoutes]: AllowListedRoutesConfig,
  [TypeUrl.safeCrossScheme]: SafeCrossSchemeConfig,
  [TypeUrl.fileAccessLog]: FileAccessLog,
  [TypeUrl.stdoutAccessLog]: StdoutAccessLog,
  [TypeUrl.stderrAccessLog]: StderrAccessLog,
  [TypeUrl.dnsFilter]: DnsFilterConfig,
  [TypeUrl.downstreamTlsContext]: DownstreamTlsContext,
  [TypeUrl.upstreamTlsContext]: UpstreamTlsContext,
  [TypeUrl.downstreamConnections]: DownstreamConnectionsConfig,
  [TypeUrl.upstreamHttpProtocolOptions]: HttpProtocolOptions,
} as const;

/** The message behind a type URL. */
export type MessageOf<U extends TypeUrl> = ReturnType<(typeof messageTypes)[U]['decode']>;

/** The code for the messages of a type URL. */
export function messageType<U extends TypeUrl>(typeUrl: U): MessageFns<MessageOf<U>> {
  // The table says of each URL which message it has; TypeScript can't follow that through an index.
  return messageTypes[typeUrl] as unknown as MessageFns<MessageOf<U>>;
}

/** Whether messages with this type URL can be read. */
export function isKnownTypeUrl(typeUrl: string): typeUrl is TypeUrl {
  return Object.hasOwn(messageTypes, typeUrl);
}
