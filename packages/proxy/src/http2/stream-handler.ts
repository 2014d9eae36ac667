// What HTTP/2's streams tell their users.
import type { FieldList } from '../codec/field-list.ts';

/** Why a stream ended before its messages were complete. */
export const ResetCause = {
  /** The peer sent RST_STREAM. */
  remote: 0,
  /** This side found fault with the stream: what the peer sent is no message of HTTP, or it did not take the rest in time. */
  local: 1,
  /** The peer has not looked at it: RST_STREAM with REFUSED_STREAM, or GOAWAY with a lower last stream. Safe to send again. */
  refused: 2,
  /** The connection is gone. */
  connectionLost: 3,
  /** This side ended the connection, because of what the peer sent on it. */
  connectionError: 4,
} as const;

/** How a stream was cut off. A frozen value, shared where nothing in it is the stream's own. */
export interface StreamReset {
  /** One of `ResetCause`. */
  readonly cause: number;
  /** One of `ErrorCode`, or whatever else the peer sent. */
  readonly code: number;
  /** For response details and logs, Envoy's word where it has one: `http2.remote_reset`. */
  readonly detail: string;
}

/**
 * The user of one stream. Calls are synchronous and never overlap. Both heads and bodies are valid during the call only.
 * From within a call everything may be called on the stream, `reset` included. After `onClosed`, `onReset`, or a call of
 * `reset`, nothing is told any more.
 *
 * A message is `onInformational`* `onHeaders` `onData`* `onTrailers`? `onEnd`.
 */
export interface Http2StreamHandler {
  /**
   * A request's head, or the head of a final response; checked against RFC 9113 §8. `endStream`: there is no body and there
   * are no trailers; `onEnd` follows at once.
   */
  onHeaders(fields: FieldList, endStream: boolean): void;
  /** An interim response (1xx); the final one is still to come. Clients only. */
  onInformational(fields: FieldList): void;
  /**
   * Part of the body, `buffer[start, end)`, without padding. Also called while reading is paused: the window lets a peer
   * send what it was promised. `endStream`: these are the last bytes and there are no trailers; `onEnd` follows at once.
   */
  onData(buffer: Buffer, start: number, end: number, endStream: boolean): void;
  onTrailers(fields: FieldList): void;
  /** The peer's message is complete. */
  onEnd(): void;
  /** More may be sent, after `sendData` has answered false. */
  onDrain(): void;
  /** Both messages are complete, and of ours the last byte has been handed to the connection. */
  onClosed(): void;
  /** The stream was cut off. `beforeResponse`: nothing had come from the peer on it. */
  onReset(reset: StreamReset, beforeResponse: boolean): void;
}

/** For streams that are not told of anything. */
export const noHandler: Http2StreamHandler = Object.freeze({
  onHeaders: () => undefined,
  onInformational: () => undefined,
  onData: () => undefined,
  onTrailers: () => undefined,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onClosed: () => undefined,
  onReset: () => undefined,
});
