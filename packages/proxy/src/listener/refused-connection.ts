// A connection beyond a limit: closed at once or, so that its client does not come back at once, after a while.
import { type Clock, invariant, type Timer } from '@heddle/base';
import type { Connection, ConnectionHandler } from '../transport/transport.ts';

/** Owns it until it is gone. */
export class RefusedConnection implements ConnectionHandler {
  private readonly connection: Connection;
  private readonly onGone: (closedHere: boolean) => void;
  private readonly timer: Timer | null;
  private closedHere = false;

  constructor(connection: Connection, clock: Clock, delayMs: number, onGone: (closedHere: boolean) => void) {
    this.connection = connection;
    this.onGone = onGone;
    this.timer = delayMs > 0 ? clock.setTimer(delayMs, () => this.close()) : null;
    if (this.timer === null) this.close();
  }

  onConnect(): void {
    invariant(false, 'an accepted connection is told that it connected');
  }

  onData(): void {
    // Nobody will read it.
  }

  onEnd(): void {
    this.connection.destroy();
  }

  onDrain(): void {
    // Nothing has been written.
  }

  onClose(): void {
    this.timer?.cancel();
    this.onGone(this.closedHere);
  }

  private close(): void {
    this.closedHere = true;
    this.connection.destroy();
  }
}

/** Owns a connection of which nobody wants to know anything more. */
export const abandoned: ConnectionHandler = {
  onConnect: () => undefined,
  onData: () => undefined,
  onEnd: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
};
