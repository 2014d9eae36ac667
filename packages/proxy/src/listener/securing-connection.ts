// An accepted connection whose TLS handshake is not over: counted and limited in time like every other one.
import { invariant, type TimerWheelEntry } from '@heddle/base';
import type { Connection, ConnectionHandler } from '../transport/transport.ts';

/** What secures connections. Each connection is told exactly one of the last two. */
export interface SecuringOwner {
  /** Its first bytes have come: `buffer[start, end)`, valid during the call. */
  onHello(securing: SecuringConnection, buffer: Buffer, start: number, end: number): void;
  /** The time is over. The connection is dropped, and has failed after this. */
  onHandshakeTimeout(): void;
  onHandshakeFailed(securing: SecuringConnection): void;
}

export class SecuringConnection implements ConnectionHandler, TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  readonly connection: Connection;
  /** Monotonic milliseconds of its beginning. */
  readonly startedAt: number;
  isTimedOut = false;
  private readonly owner: SecuringOwner;

  constructor(connection: Connection, owner: SecuringOwner, startedAt: number) {
    this.connection = connection;
    this.owner = owner;
    this.startedAt = startedAt;
  }

  onConnect(): void {
    invariant(false, 'an accepted connection is told that it connected');
  }

  onData(buffer: Buffer, start: number, end: number): void {
    // From here on the transport tells what becomes of it.
    this.owner.onHello(this, buffer, start, end);
  }

  onEnd(): void {
    // As in Envoy, a client that goes before the handshake is over gets no answer.
    this.connection.destroy();
  }

  onDrain(): void {
    // Nothing has been written.
  }

  onClose(): void {
    this.owner.onHandshakeFailed(this);
  }

  onTimeout(): void {
    this.isTimedOut = true;
    this.owner.onHandshakeTimeout();
    this.connection.destroy();
  }
}
