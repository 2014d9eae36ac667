import type { AccessLogConfig } from '../access-log/access-log.ts';
import type { ClusterSlot } from '../cluster/cluster-slot.ts';
import type { EndpointPool } from '../cluster/endpoint.ts';
import type { DownstreamTlsConfig } from '../cluster/tls-config.ts';
import type { RouteTableSlot } from '../routing/route-table.ts';

/** What an `HttpConnectionManager` says, besides its routes. Durations of 0 mean "no limit". */
export interface HttpConfig {
  readonly statPrefix: string;
  /** Value of the `server` response header. */
  readonly serverName: string;
  /** Whether the upstream's `server` header is replaced, kept where there is one, or never touched. */
  readonly serverHeader: 'overwrite' | 'append-if-absent' | 'pass-through';
  readonly generateRequestId: boolean;
  /** The peer's address is the client's. */
  readonly useRemoteAddress: boolean;
  /** `sanitize` removes X-Forwarded-Client-Cert; `sanitize-set` replaces it by the peer's URI. */
  readonly forwardClientCert: 'sanitize' | 'sanitize-set';
  /** Nothing is added to requests and responses under `x-envoy-…`. */
  readonly suppressesEnvoyHeaders: boolean;
  /** How long a request may stand still. */
  readonly streamIdleTimeoutMs: number;
  /** How long a connection may be idle between requests. */
  readonly idleTimeoutMs: number;
  /** From the first byte of a request's head to its last. */
  readonly requestHeadersTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly maxRequestHeadersBytes: number;
  readonly maxHeadersCount: number;
  readonly accessLogs: readonly AccessLogConfig[];
}

/** One listener, compiled. */
export interface ListenerConfig<P extends EndpointPool> {
  readonly name: string;
  readonly address: ListenAddress;
  readonly direction: 'inbound' | 'outbound' | 'unspecified';
  /** Null for plain connections. */
  readonly tls: DownstreamTlsConfig | null;
  readonly http: HttpConfig;
  /** Filled and replaced by the configuration store; empty until the route configuration has arrived. */
  readonly routes: RouteTableSlot<ClusterSlot<P>>;
}

export interface ListenAddress {
  /** An IP address. */
  readonly host: string;
  /** 0 for one that the system chooses. */
  readonly port: number;
}
