/**
 * What an access log says of one finished request. Strings are empty and numbers -1 where there is nothing to tell; the
 * log then shows `-`.
 */
export interface AccessLogEntry extends HeaderSource {
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
  /** How often the request was sent, or would have been; 0 for an answer of the proxy's own. */
  readonly upstreamAttempts: number;
  /** `address:port`. */
  readonly upstreamLocalAddress: string;
  readonly upstreamTransportFailureReason: string;
  /** `address:port`. */
  readonly downstreamLocalAddress: string;
  /** `address:port`. */
  readonly downstreamRemoteAddress: string;
  /** `address:port` of who connected, whatever a header or the PROXY protocol says. */
  readonly downstreamDirectRemoteAddress: string;
  /** Null for plain connections. */
  readonly downstreamTls: LoggedTls | null;
  /** The verified SPIFFE id of the caller. */
  readonly downstreamPeerUriSan: string;
  /** The server name of the TLS ClientHello. */
  readonly requestedServerName: string;
  readonly routeName: string;
  /** What the proxy answers in words, while it makes that answer. */
  readonly localReplyBody?: string;
}

/** The fields of a request and its response. */
export interface HeaderSource {
  /** A request header, of several the first, or `:method`, `:path`, `:authority`, `:scheme`, by its lower-case name; null where there is none. */
  requestHeader(name: string): string | null;
  /** A response header by its lower-case name; null where there is none. */
  responseHeader(name: string): string | null;
}

/** What is known of the TLS session that a request came by. */
export interface LoggedTls {
  /** `TLSv1.3`, … */
  readonly version: string;
  readonly cipher: string;
  /** The caller's certificate; null where it showed none. */
  readonly peer: LoggedCertificate | null;
}

export interface LoggedCertificate {
  /** RFC 2253, as the issuer. */
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly dnsSans: readonly string[];
  /** SHA-256, in hexadecimal digits. */
  readonly fingerprint: string;
}
