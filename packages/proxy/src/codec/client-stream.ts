// What a connection to an upstream, whichever codec it speaks, and the exchange that uses it ask of each other.
import type { ByteCount } from './byte-count.ts';
import type { ByteStream, ConnectionHandler } from '../transport/transport.ts';
import type { FieldList } from './field-list.ts';
import type { ResponseHeadView } from './message-view.ts';
import type { OutgoingRequest } from './outgoing-request.ts';

/** What the request makes of its response. */
export const ResponseKind = { usual: 0, head: 1, upgrade: 2, connect: 3 } as const;

/** One request's way to an upstream. */
export interface ClientStream {
  /** `address:port` of this side, for access logs. */
  readonly localAddress: string;
  /** The connection has carried a request before: its peer may have closed it meanwhile. */
  readonly isReused: boolean;
  /** Bytes of a chunked response's body so far, framing left out. */
  readonly chunkedBytes: number;
  /** A request for WebSocket needs a `Sec-WebSocket-Key`, and its answer one that fits: so it is in HTTP/1.1 (RFC 8441 §5). */
  readonly wantsWebSocketKey: boolean;
  /** Who writes to a tunnel's stream counts the bytes here. */
  readonly tunnelSent: ByteCount;
  /** Sends a request's head for `exchange`, which is told everything that follows. `asked` is a `ResponseKind`. False: wait for `onRequestDrain`. */
  sendHead(exchange: UpstreamExchange, request: OutgoingRequest, asked: number): boolean;
  /** Sends part of the body. False: wait for `onRequestDrain`. */
  sendBody(buffer: Buffer, start: number, end: number): boolean;
  /** Sends the fields behind the body; nothing but `endRequest` may follow. */
  sendTrailers(fields: FieldList): void;
  /** The request is complete. */
  endRequest(): void;
  /** Has the chunked body whose head is being told come without its framing. */
  unframeResponse(): void;
  pauseResponse(): void;
  resumeResponse(): void;
  /** Gives the exchange up: no further call comes. */
  abandon(): void;
  /**
   * Gives the bytes to `handler`, in answer to `onUpgraded`; the stream that it may write to. The exchange goes on until
   * that ends.
   */
  startTunnel(handler: ConnectionHandler): ByteStream;
}

/** What waits for the response of one request. Calls are synchronous; bytes are valid during the call only. */
export interface UpstreamExchange {
  /** The final response's head. */
  onResponseHead(head: ResponseHeadView): void;
  /** An interim response (1xx but 101); the final one is still to come. */
  onInterimResponse(head: ResponseHeadView): void;
  /**
   * The upstream has agreed to leave HTTP: what both sides send from here on is for `startTunnel`, which has to be called
   * before this returns.
   */
  onUpgraded(head: ResponseHeadView): void;
  /** Part of the body; chunked bodies come with their framing unless `unframeResponse` was called. */
  onResponseBody(buffer: Buffer, start: number, end: number): void;
  /** Fields behind the body, forbidden ones left out. Only where they are enabled. */
  onResponseTrailers(fields: FieldList): void;
  onResponseEnd(): void;
  /** All that was read at once has been told: what was held back to be joined can go out. */
  onResponsePause(): void;
  /** The upstream takes bytes again, after `sendBody` had answered false. */
  onRequestDrain(): void;
  /** No complete response will come. */
  onUpstreamFailed(failure: UpstreamFailure): void;
}

/** How a request came to have no complete response, in Envoy's words for the reasons of resets. */
export type FailureKind =
  /** The connection is gone. */
  | 'connection-termination'
  /** What came can't be understood. */
  | 'protocol-error'
  /** The upstream cut this one off, and goes on serving others. */
  | 'remote-reset'
  /** The upstream says that it has not looked at the request: safe to send again, whatever it asks for. */
  | 'refused'
  /** This side gave it up. */
  | 'local-reset';

/** Why no complete response comes. */
export interface UpstreamFailure {
  readonly kind: FailureKind;
  /** For `%UPSTREAM_TRANSPORT_FAILURE_REASON%` and details. */
  readonly detail: string;
  /** Not one byte of a response had come. */
  readonly beforeResponse: boolean;
}
