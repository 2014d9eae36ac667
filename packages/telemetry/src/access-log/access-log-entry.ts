/**
 * What an access log says of one finished request. Strings are empty and numbers -1 where there is nothing to tell; the
 * log then shows `-`.
 */
export interface AccessLogEntry {
  /** When the first byte of the request arrived, milliseconds since 1970. */
  readonly startTimeMs: number;
  /** From the first byte of the request to the last of the response. */
  readonly durationMs: number;
  /** `HTTP/1.1`, … */
  readonly protocol: string;
  /** 0 where no response was sent. */
  readonly responseCode: number;
  /** How a gRPC call has ended; for anything else -1. */
  readonly grpcStatus: number;
  /** Envoy's short flags, joined by commas: `UH`, `UF,URX`, … */
  readonly responseFlags: string;
  /** Envoy's wording: `via_upstream`, `route_not_found`, … */
  readonly responseCodeDetails: string;
  readonly connectionTerminationDetails: string;
  /** Bytes of the request's body. */
  readonly bytesReceived: number;
  /** Bytes of the response's body. */
  readonly bytesSent: number;
  /** `address:port`. */
  readonly upstreamHost: string;
  readonly upstreamCluster: string;
  /** `address:port`. */
  readonly upstreamLocalAddress: string;
  readonly upstreamTransportFailureReason: string;
  /** `address:port`. */
  readonly downstreamLocalAddress: string;
  /** `address:port`. */
  readonly downstreamRemoteAddress: string;
  /** The verified SPIFFE id of the caller. */
  readonly downstreamPeerUriSan: string;
  /** The server name of the TLS ClientHello. */
  readonly requestedServerName: string;
  readonly routeName: string;
  /** A request header or `:method`, `:path`, `:authority`, `:scheme`, by its lower-case name; null where there is none. */
  requestHeader(name: string): string | null;
  /** A response header by its lower-case name; null where there is none. */
  responseHeader(name: string): string | null;
}
