// What HTTP/2's connections need, and what they tell their owners.
import type { Clock, Random, TimerWheel } from '@heddle/base';
import type { ByteCount } from '../codec/byte-count.ts';
import type { Http2Metrics } from '../stats/http2-metrics.ts';
import type { TransportError } from '../transport/transport.ts';
import type { ConnectionFault } from './connection-fault.ts';
import type { FlushQueue } from './flush-queue.ts';
import type { Http2Options } from './http2-options.ts';
import type { Http2Stream } from './http2-stream.ts';
import type { Http2StreamHandler } from './stream-handler.ts';

/** What a thread's connections share. */
export interface Http2Context {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: TimerWheel;
  readonly flushes: FlushQueue;
}

/** How the connections of one listener or cluster speak HTTP/2, and where they are counted. */
export interface Http2Settings {
  readonly options: Http2Options;
  readonly metrics: Http2Metrics;
  readonly bytesSent: ByteCount;
  readonly bytesReceived: ByteCount;
}

/** Told of the end of either kind of connection. */
export interface Http2ConnectionOwner {
  /** This side ends the connection because of what the peer sent; its streams have been told. `onGone` follows. */
  onFault(fault: ConnectionFault): void;
  /** The connection is gone; where it never was, `error` says why. The last call; streams have been told before. */
  onGone(error: TransportError | null): void;
}

/** Who serves the streams of one accepted connection, and looks after its life. */
export interface Http2ServerOwner extends Http2ConnectionOwner {
  /** A request has begun: its handler. `onHeaders` follows at once. */
  onStream(stream: Http2Stream): Http2StreamHandler;
  /** The first stream has been opened, or the last one closed. */
  onBusyChanged(isBusy: boolean): void;
  /** Everything has been sent and ended: the connection is to be dropped if its peer does not close its side in time. */
  onLingering(): void;
}

/** Who opens streams on a connection to an upstream: its pool. */
export interface Http2ClientOwner extends Http2ConnectionOwner {
  /** Streams may be opened. */
  onConnected(): void;
  /** The peer has said what it takes. */
  onSettings(): void;
  /** All that came at once has been told. */
  onReadEnd(): void;
  /** A stream has closed, or the peer has said how many it takes: another one may be opened perhaps, or none is left. */
  onCapacity(): void;
  /** No new stream may be opened any more (GOAWAY, or the ids are used up); those that are open go on. */
  onGoingAway(): void;
}
