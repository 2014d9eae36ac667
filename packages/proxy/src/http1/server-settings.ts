// How the server side of HTTP/1.1 is set.
import type { Clock, Random, TimerWheel } from '@heddle/base';
import type { ConnectionManagerMetrics } from '../stats/connection-manager-metrics.ts';

/** What is done with fields whose name holds `_` (`headers_with_underscores_action`). */
export const UnderscoreAction = { allow: 0, reject: 1, drop: 2 } as const;

/** What a request's head may look like. */
export interface HeadRules {
  /** `accept_http_10`; HTTP/1.0 is answered with 426 otherwise. */
  readonly acceptsHttp10: boolean;
  /** `default_host_for_http_10`: the Host of HTTP/1.0 requests that bring none; empty where they are refused. */
  readonly defaultHost: string;
  /** `allow_absolute_url`: otherwise an absolute target is a path that no route matches. */
  readonly allowsAbsoluteTarget: boolean;
  /** `allow_custom_methods`: any token is a method. */
  readonly allowsCustomMethods: boolean;
  /** `allow_chunked_length`: of Content-Length and chunks the chunks hold, and the connection ends behind the request. */
  readonly allowsChunkedLength: boolean;
  /**
   * False with `stream_error_on_invalid_http_message`: a request whose end is clear, but which can't be served as it is,
   * leaves its connection to the next one. Whatever the codec can't read ends the connection all the same.
   */
  readonly endsConnectionOnError: boolean;
}

/** How a listener's connections are served, with Envoy's names and defaults. A duration of 0 is none. */
export interface ServerSettings extends HeadRules {
  /** `max_request_headers_kb` in bytes. */
  readonly maxHeadBytes: number;
  /** `max_headers_count`. */
  readonly maxFields: number;
  /** `idle_timeout`: between requests. */
  readonly idleTimeoutMs: number;
  /** `request_headers_timeout`: from the first byte of a head to its last. */
  readonly headTimeoutMs: number;
  /** `request_timeout`: from the first byte of a head to the request's last byte. */
  readonly requestTimeoutMs: number;
  /** `max_connection_duration`. */
  readonly maxConnectionDurationMs: number;
  /** `max_requests_per_connection`; 0 for any number. */
  readonly maxRequests: number;
  /** `delayed_close_timeout`: how long a peer may take to read the last response before the socket is dropped. */
  readonly delayedCloseTimeoutMs: number;
  /** One of `UnderscoreAction`. */
  readonly underscores: number;
  /** `enable_trailers`: trailers of requests are told, otherwise they are dropped. */
  readonly takesTrailers: boolean;
  /** `proxy_100_continue`: the upstream answers `Expect: 100-continue`, not the proxy. */
  readonly forwardsExpectation: boolean;
  readonly metrics: ConnectionManagerMetrics;
}

/** Envoy's defaults. */
export const defaultServerSettings: Omit<ServerSettings, 'metrics'> = {
  acceptsHttp10: false,
  defaultHost: '',
  allowsAbsoluteTarget: true,
  allowsCustomMethods: false,
  allowsChunkedLength: false,
  endsConnectionOnError: true,
  maxHeadBytes: 60 * 1024,
  maxFields: 100,
  idleTimeoutMs: 3_600_000,
  headTimeoutMs: 0,
  requestTimeoutMs: 0,
  maxConnectionDurationMs: 0,
  maxRequests: 0,
  delayedCloseTimeoutMs: 1000,
  underscores: UnderscoreAction.allow,
  takesTrailers: false,
  forwardsExpectation: false,
};

export interface ServerContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: TimerWheel;
}
