import type { Http2Options } from '../http2/http2-options.ts';
import type { LinkSecurity } from '../tls/link-security.ts';

/** What a pool's connections speak; `auto`: what TLS agrees on (ALPN). */
export type PoolProtocol = 'http1' | 'http2' | 'auto';

/** What a cluster's connections speak; `downstream`: what the request came by. */
export type UpstreamProtocol = PoolProtocol | 'downstream';

/** What connections speak. Where nothing is agreed on, since there is no TLS, it is HTTP/1.1, as in Envoy. */
export function protocolOf(
  configured: UpstreamProtocol,
  cameByHttp2: boolean,
  isSecure: boolean,
): PoolProtocol {
  if (configured === 'downstream') return cameByHttp2 ? 'http2' : 'http1';
  return configured === 'auto' && !isSecure ? 'http1' : configured;
}

/** What is offered by ALPN where the TLS context doesn't say. */
const offers: Readonly<Record<PoolProtocol, readonly string[]>> = {
  http1: ['http/1.1'],
  http2: ['h2'],
  auto: ['h2', 'http/1.1'],
};

/** One object for each, since transports keep contexts by it. */
const offering = new WeakMap<LinkSecurity, Map<PoolProtocol, LinkSecurity>>();

/** The security of connections that are to speak `protocol`. */
export function securityFor(security: LinkSecurity | null, protocol: PoolProtocol): LinkSecurity | null {
  if (security === null || security.alpn.length > 0) return security;
  return offer(security, protocol, offers[protocol]);
}

/** The same security for connections that are not to speak HTTP/2, whatever the TLS context offers. */
export function withoutHttp2(security: LinkSecurity): LinkSecurity {
  const rest = security.alpn.filter((protocol) => protocol !== 'h2');
  return offer(security, 'http1', rest.length > 0 ? rest : offers.http1);
}

function offer(security: LinkSecurity, protocol: PoolProtocol, alpn: readonly string[]): LinkSecurity {
  let byProtocol = offering.get(security);
  if (byProtocol === undefined) {
    byProtocol = new Map();
    offering.set(security, byProtocol);
  }
  let result = byProtocol.get(protocol);
  if (result === undefined) {
    result = { ...security, alpn };
    byProtocol.set(protocol, result);
  }
  return result;
}

/** RFC 9113 §6.5.2 asks servers to take no fewer. */
const usualStreams = 100;

/** What is known of an endpoint from its connections, for those that are being made. */
export class PeerMemory {
  /** What connections speak; null while that is still to be found out. */
  speaksHttp2: boolean | null;
  private readonly maxStreams: number;
  /** As many streams as its last connection over HTTP/2 took. */
  private streams: number;

  /** `maxRequests`: of a connection, 0 for any number. */
  constructor(protocol: PoolProtocol, options: Http2Options, maxRequests: number) {
    this.speaksHttp2 = protocol === 'auto' ? null : protocol === 'http2';
    this.maxStreams = Math.min(options.maxConcurrentStreams, maxRequests === 0 ? Infinity : maxRequests);
    this.streams = Math.min(this.maxStreams, usualStreams);
  }

  /** Streams that a connection is expected to take. Of one that may speak either, none need wait beside it. */
  get expectedStreams(): number {
    return this.speaksHttp2 === null ? Number.MAX_SAFE_INTEGER : this.speaksHttp2 ? this.streams : 1;
  }

  /** The peer has said how many streams it takes. */
  sawLimit(streams: number): void {
    if (streams > 0) this.streams = Math.min(this.maxStreams, streams);
  }
}
