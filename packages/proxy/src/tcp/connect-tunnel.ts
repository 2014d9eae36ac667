// Hot path: `write` runs per chunk.
// A connection's bytes as a stream that CONNECT opens, over a connection that others may share (HBONE's way).
import type { TimerWheel, TimerWheelEntry } from '@heddle/base';
import {
  type ClientStream,
  ResponseKind,
  type UpstreamExchange,
  type UpstreamFailure,
} from '../codec/client-stream.ts';
import type { ResponseHeadView } from '../codec/message-view.ts';
import type { OutgoingRequest } from '../codec/outgoing-request.ts';
import type { ConnectionPool, ConnectionWaiter } from '../cluster/connection-pool.ts';
import type { ByteStream, ConnectionHandler, TransportError } from '../transport/transport.ts';

const overflow: TransportError = Object.freeze({
  kind: 'connect-failed',
  detail: 'the circuit breaker is open',
});

const notMade: TransportError = Object.freeze({
  kind: 'connect-failed',
  detail: 'the connection was not made',
});
const notGranted: TransportError = Object.freeze({
  kind: 'connect-timeout',
  detail: 'CONNECT was not answered in time',
});

/** One stream. Its handler is told as that of a connection is: connected, and of the end in any case. */
export class ConnectTunnel implements ByteStream, ConnectionWaiter, UpstreamExchange, TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  readonly wantsUpgrade = false;
  readonly hasUpgradeBody = false;
  private readonly handler: ConnectionHandler;
  private readonly pool: ConnectionPool;
  private readonly request: OutgoingRequest;
  private readonly timers: TimerWheel;
  /** From the moment that CONNECT was sent. */
  private stream: ClientStream | null = null;
  /** Once the upstream has granted it. */
  private bytes: ByteStream | null = null;
  private isWaiting = false;
  private isOver = false;

  constructor(
    handler: ConnectionHandler,
    pool: ConnectionPool,
    request: OutgoingRequest,
    timers: TimerWheel,
  ) {
    this.timers = timers;
    this.handler = handler;
    this.pool = pool;
    this.request = request;
  }

  /** Asks for the stream, to be granted within `timeoutMs`; what comes of it may be told before this returns. */
  start(timeoutMs: number): void {
    this.isWaiting = true;
    this.timers.arm(this, timeoutMs);
    this.pool.acquire(this);
  }

  /** `address:port` of this side; empty before there is one. */
  get localAddress(): string {
    return this.stream?.localAddress ?? '';
  }

  /** TimerWheelEntry: the upstream has not answered. */
  onTimeout(): void {
    this.giveUp(notGranted);
  }

  // ConnectionWaiter

  onConnection(stream: ClientStream): void {
    this.isWaiting = false;
    this.stream = stream;
    stream.sendHead(this, this.request, ResponseKind.connect);
    stream.endRequest();
  }

  onConnectFailed(error: TransportError): void {
    this.fail(error);
  }

  onOverflow(): void {
    this.fail(overflow);
  }

  // UpstreamExchange

  onUpgraded(): void {
    this.timers.disarm(this);
    this.bytes = this.stream!.startTunnel(this.handler);
    this.handler.onConnect();
  }

  onResponseHead(head: ResponseHeadView): void {
    this.stream!.abandon();
    this.fail({ kind: 'connect-failed', detail: `CONNECT was answered with ${head.status}` });
  }

  onUpstreamFailed(failure: UpstreamFailure): void {
    this.fail({ kind: 'connect-failed', detail: failure.detail });
  }

  onInterimResponse(): void {
    // The final one is still to come.
  }

  onResponseBody(): void {
    // Nobody reads why it was refused.
  }

  onResponseTrailers(): void {
    // See above.
  }

  onResponseEnd(): void {
    // See above.
  }

  onResponsePause(): void {
    // Nothing is held back.
  }

  onRequestDrain(): void {
    // Of the head: nobody has written anything yet. Of what is written from the grant on the bytes themselves tell.
  }

  // ByteStream

  write(buffer: Buffer, start: number, end: number): boolean {
    this.stream!.tunnelSent.value += end - start;
    return this.bytes!.write(buffer, start, end);
  }

  end(): void {
    this.bytes?.end();
  }

  destroy(): void {
    this.giveUp(notMade);
    this.bytes?.destroy();
  }

  reset(): void {
    this.giveUp(notMade);
    this.bytes?.reset();
  }

  pauseReading(): void {
    this.bytes?.pauseReading();
  }

  resumeReading(): void {
    this.bytes?.resumeReading();
  }

  /** It is no longer wanted, and has not been granted yet. */
  private giveUp(error: TransportError): void {
    if (this.bytes !== null || this.isOver) return;
    if (this.isWaiting) this.pool.cancel(this);
    else this.stream?.abandon();
    this.fail(error);
  }

  private fail(error: TransportError): void {
    if (this.isOver) return;
    this.isOver = true;
    this.isWaiting = false;
    this.timers.disarm(this);
    this.handler.onClose(error);
  }
}
