import type { AccessLogConfig } from '../access-log/access-log.ts';
import type { ClusterSlot } from '../cluster/cluster-slot.ts';
import type { Field } from '../codec/field.ts';
import type { EndpointPool } from '../cluster/endpoint.ts';
import type { ClientCertRules } from '../http/forwarded-client-cert.ts';
import type { GrpcStatsRules } from '../grpc/call-metrics.ts';
import type { HostRules } from '../http/host-normalization.ts';
import type { LocalReplyRules } from '../http/local-reply-rules.ts';
import type { InternalRange } from '../http/internal-addresses.ts';
import type { PathRules } from '../http/path-normalization.ts';
import type { ConnectionFilterSettings } from '../policy/connection-filter-config.ts';
import type { HttpFilterSettings } from '../policy/http-filter-config.ts';
import type { DownstreamTlsConfig } from '../tls/tls-config.ts';
import type { Http2Options } from '../http2/http2-options.ts';
import type { ServerSettings } from '../http1/server-settings.ts';
import type { UpgradeRules } from '../routing/route-match.ts';
import type { ProxyProtocolVersion } from '../inspect/proxy-protocol.ts';
import type { RouteTableSlot } from '../routing/route-table.ts';

/** What an `HttpConnectionManager` says, besides its routes. Durations of 0 mean "no limit". */
export interface HttpConfig {
  readonly statPrefix: string;
  /** Value of the `server` response header. */
  readonly serverName: string;
  /** Whether the upstream's `server` header is replaced, kept where there is one, or never touched. */
  readonly serverHeader: 'overwrite' | 'append-if-absent' | 'pass-through';
  readonly generateRequestId: boolean;
  /** Requests from outside keep the id that they came with. */
  readonly preserveExternalRequestId: boolean;
  readonly alwaysSetRequestIdInResponse: boolean;
  /** The peer's address is the client's. */
  readonly useRemoteAddress: boolean;
  /** Proxies in front of this one whose X-Forwarded-For is believed. */
  readonly xffNumTrustedHops: number;
  readonly skipXffAppend: boolean;
  readonly appendXForwardedPort: boolean;
  readonly internalRanges: readonly InternalRange[];
  /** What is told of the caller's certificate. */
  readonly clientCert: Omit<ClientCertRules, 'ownUris'>;
  /** Appended to Via in both directions; empty for none. */
  readonly via: string;
  /** Null for paths and hosts as they come. */
  readonly pathRules: PathRules | null;
  readonly hostRules: HostRules | null;
  /** What requests pass before the router, in this order. */
  readonly filters: readonly HttpFilterSettings[];
  /** `grpc_stats`; null where the filter isn't there. */
  readonly grpcStats: GrpcStatsRules | null;
  /** Nothing is added to requests and responses under `x-envoy-…`. */
  readonly suppressesEnvoyHeaders: boolean;
  /** The listener's `per_connection_buffer_limit_bytes`. */
  readonly bufferLimitBytes: number;
  /** How long a request may stand still. */
  readonly streamIdleTimeoutMs: number;
  /** How long a request may last from its first byte to its response's last. */
  readonly maxStreamDurationMs: number;
  readonly drainTimeoutMs: number;
  /** What a request may become, by name in lower case. */
  readonly upgrades: UpgradeRules;
  /** `codec_type`: what clients speak. */
  readonly codec: 'auto' | 'http1' | 'http2';
  readonly http2: Http2Options;
  /** How connections are served. */
  readonly server: Omit<ServerSettings, 'metrics'>;
  readonly accessLogs: readonly AccessLogConfig[];
  /** What becomes of the proxy's own answers; null for nothing. */
  readonly localReplies: LocalReplyRules | null;
}

/** A range of IP addresses: those whose first `bits` bits are those of `address`. */
export interface CidrRange {
  /** As `addressBytes` gives it: 4 or 16 bytes, those behind the prefix 0. */
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/** What a connection must look like for a filter chain to serve it. What is empty matches everything. */
export interface FilterChainMatchConfig {
  /** 0 for every port. */
  readonly destinationPort: number;
  readonly destinationRanges: readonly CidrRange[];
  /** Lower-case; `*.example.com` for every name below it. */
  readonly serverNames: readonly string[];
  readonly transportProtocol: '' | 'raw_buffer' | 'tls';
  readonly applicationProtocols: readonly string[];
  readonly directSourceRanges: readonly CidrRange[];
  readonly sourceType: 'any' | 'same-ip-or-loopback' | 'external';
  readonly sourceRanges: readonly CidrRange[];
  readonly sourcePorts: readonly number[];
}

/** What a `TcpProxy` says, besides its clusters. Durations of 0 mean "no limit". */
export interface TcpProxyConfig {
  readonly statPrefix: string;
  /** How long neither side may send anything. */
  readonly idleTimeoutMs: number;
  /** From the connection's beginning, whatever it does. */
  readonly maxConnectionDurationMs: number;
  /** How often a connection to the upstream is tried. */
  readonly maxConnectAttempts: number;
  /** Connections are streams that CONNECT opens; null for connections of their own. */
  readonly tunneling: TunnelingConfig | null;
  readonly accessLogs: readonly AccessLogConfig[];
}

/** What the upstream is told when a connection becomes a stream (`tunneling_config`). */
export interface TunnelingConfig {
  /** `host:port`: where the bytes are to go. */
  readonly authority: string;
  readonly fields: readonly Field[];
}

/** One thing done with a connection before its filter chain is chosen. */
export type ListenerFilterConfig =
  | {
      readonly kind: 'proxy-protocol';
      readonly allowsConnectionsWithout: boolean;
      readonly disallowedVersions: readonly ProxyProtocolVersion[];
      /** In the names of its counts; may be empty. */
      readonly statPrefix: string;
    }
  | { readonly kind: 'original-dst' }
  /** Upstream connections come from the caller's address, their packets with this mark (0 for none). */
  | { readonly kind: 'original-src'; readonly mark: number }
  | { readonly kind: 'tls-inspector' }
  | { readonly kind: 'http-inspector' };

/** What is done with a connection before its filter chain is chosen. */
export interface ListenerFilters {
  /** In this order; may be empty. */
  readonly filters: readonly ListenerFilterConfig[];
  /** How long they may take together; 0 for no limit. */
  readonly timeoutMs: number;
  /** What then: go on with what is known, or close. */
  readonly continuesOnTimeout: boolean;
}

/** What serves a filter chain's connections. */
export type NetworkFilterConfig<P extends EndpointPool> = HttpFilterConfig<P> | TcpFilterConfig<P>;

/** A share of the connections, as large as its weight to the sum of weights. */
export interface WeightedCluster<C> {
  readonly cluster: C;
  readonly weight: number;
}

export interface TcpFilterConfig<P extends EndpointPool> {
  readonly kind: 'tcp';
  readonly tcp: TcpProxyConfig;
  /** At least one. */
  readonly clusters: readonly WeightedCluster<ClusterSlot<P>>[];
}

export interface HttpFilterConfig<P extends EndpointPool> {
  readonly kind: 'http';
  readonly http: HttpConfig;
  /** Filled and replaced by the configuration store; empty until the route configuration has arrived. */
  readonly routes: RouteTableSlot<ClusterSlot<P>>;
}

/** A `connection_limit` filter. */
export interface ConnectionLimitConfig {
  readonly statPrefix: string;
  readonly maxConnections: number;
  /** How long a connection beyond the limit is kept waiting before it is closed. */
  readonly delayMs: number;
}

/** How a listener's connections of one kind are secured and served. */
export interface FilterChainConfig<P extends EndpointPool> {
  /** Empty where it has none. */
  readonly name: string;
  /** Changes with anything in the chain. */
  readonly fingerprint: string;
  /** Null for every connection. */
  readonly match: FilterChainMatchConfig | null;
  /** Null for plain connections. */
  readonly tls: DownstreamTlsConfig | null;
  /** How long a TLS handshake may take; 0 for no limit. */
  readonly handshakeTimeoutMs: number;
  /** In this order; mostly none. */
  readonly limits: readonly ConnectionLimitConfig[];
  /** What connections pass before `filter`, in this order. */
  readonly connectionFilters: readonly ConnectionFilterSettings[];
  readonly filter: NetworkFilterConfig<P>;
}

/** One listener, compiled. */
export interface ListenerConfig<P extends EndpointPool> {
  readonly name: string;
  /** In the names of its counts, in place of its address; may be empty. */
  readonly statPrefix: string;
  readonly address: ListenAddress;
  readonly direction: 'inbound' | 'outbound' | 'unspecified';
  /** False for one that only gets connections from others that hand over what is meant for its address. */
  readonly bindsToPort: boolean;
  /** Takes connections to addresses of others too, as TPROXY leads them here. */
  readonly isTransparent: boolean;
  /** Hands connections that were meant for another listener's address to that listener. */
  readonly usesOriginalDestination: boolean;
  /** Takes connections whatever the limit for the whole process is, and counts none against it. */
  readonly ignoresTotalLimit: boolean;
  readonly listenerFilters: ListenerFilters;
  /** Of connections, those that no chain served too. */
  readonly accessLogs: readonly AccessLogConfig[];
  readonly filterChains: readonly FilterChainConfig<P>[];
  /** Serves what no other chain matches; null drops it. */
  readonly defaultFilterChain: FilterChainConfig<P> | null;
}

/** All filter chains of a listener, the default one last. */
export function allChains<P extends EndpointPool>(config: ListenerConfig<P>): FilterChainConfig<P>[] {
  const { filterChains, defaultFilterChain } = config;
  return defaultFilterChain === null ? [...filterChains] : [...filterChains, defaultFilterChain];
}

export interface ListenAddress {
  /** An IP address; a Unix socket's path, after a NUL byte an abstract one's name. */
  readonly host: string;
  /** 0 for one that the system chooses, and for Unix sockets. */
  readonly port: number;
  /** Permissions of a Unix socket's file; the process's umask decides where it is absent. */
  readonly mode?: number;
}
