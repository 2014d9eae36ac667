// What HTTP/2's connections tell their owners. These are interfaces of both roles; the classes implement them.
import type { TransportError } from '../transport/transport.ts';
import type { Http2Stream } from './http2-stream.ts';
import type { Http2StreamHandler } from './stream-handler.ts';

/** Who serves the streams of one accepted connection, and looks after its life. */
export interface Http2ServerOwner {
  /** A request has begun: its handler. `onHeaders` follows at once. */
  onStream(stream: Http2Stream): Http2StreamHandler;
  /** The number of open streams has come to 0, or risen from it. */
  onBusyChanged(isBusy: boolean): void;
  /** Everything has been sent: the connection is to be dropped if its peer does not close its side in time. */
  onLingering(): void;
  /** The connection is gone; the last call. Streams have been told before. */
  onGone(error: TransportError | null): void;
}

/** Who opens streams on a connection to an upstream: its pool. */
export interface Http2ClientOwner {
  /** Streams may be opened. */
  onConnected(): void;
  /** Another stream may be opened after `openStream` had answered null: one has closed, or the peer allows more. */
  onCapacity(): void;
  /** No new stream may be opened any more (GOAWAY, or the ids are used up); those that are open go on. */
  onGoingAway(): void;
  /** The connection is gone; where it never was, `error` says why. The last call; streams have been told before. */
  onGone(error: TransportError | null): void;
}

/** An accepted connection. */
export interface Http2Server {
  readonly openStreams: number;
  /** Asks the peer to go elsewhere: GOAWAY, after `drainTimeoutMs` a final one, and the end once the last stream has closed. */
  drain(drainTimeoutMs: number): void;
  /** Drops the connection. */
  destroy(): void;
}

/** A connection to an upstream. */
export interface Http2Client {
  readonly openStreams: number;
  /** How many may be open: the lesser of what the peer and our options allow. */
  readonly maxStreams: number;
  /** No stream can be opened any more. */
  readonly isGoingAway: boolean;
  /** The peer takes extended CONNECT (RFC 8441). Known only once its SETTINGS have come. */
  readonly takesExtendedConnect: boolean;
  /** Opens a stream; null where none may be opened now. The id is given to it by `sendHeaders`. */
  openStream(handler: Http2StreamHandler): Http2Stream | null;
  /** Takes no more streams, and closes once the last one has closed. */
  drain(): void;
  /** Drops the connection; its streams are lost. */
  destroy(): void;
}
