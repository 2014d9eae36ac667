// Hot path.
import type { ConnectionHandler, TransportError } from '../transport/transport.ts';

/** Told about the life of a raw connection: its pool. */
export interface RawConnectionOwner {
  onRawConnected(connection: RawConnection): void;
  onRawData(length: number): void;
  /** `error` says why it never came to be; null for one that was connected. */
  onRawGone(connection: RawConnection, error: TransportError | null, closedHere: boolean): void;
}

/** Stands between a byte stream and whoever asked the pool for it, so that the pool's counts are right whatever happens. */
export class RawConnection implements ConnectionHandler {
  /** Monotonic milliseconds of the moment it was begun. */
  readonly startedAt: number;
  private readonly owner: RawConnectionOwner;
  private readonly handler: ConnectionHandler;
  private isConnected = false;
  private peerHasEnded = false;

  constructor(owner: RawConnectionOwner, handler: ConnectionHandler, startedAt: number) {
    this.owner = owner;
    this.handler = handler;
    this.startedAt = startedAt;
  }

  onConnect(): void {
    this.isConnected = true;
    this.owner.onRawConnected(this);
    this.handler.onConnect();
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.owner.onRawData(end - start);
    this.handler.onData(buffer, start, end);
  }

  onEnd(): void {
    this.peerHasEnded = true;
    this.handler.onEnd();
  }

  onDrain(): void {
    this.handler.onDrain();
  }

  onClose(error: TransportError | null): void {
    const closedHere = !this.peerHasEnded && (error === null || error.kind === 'closed');
    this.owner.onRawGone(this, this.isConnected ? null : (error ?? neverConnected), closedHere);
    this.handler.onClose(error);
  }
}

/** A connection that its owner destroyed before it was made. */
const neverConnected: TransportError = Object.freeze({
  kind: 'connect-failed',
  detail: 'the connection was not made',
});
