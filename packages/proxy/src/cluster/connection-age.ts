import type { TimerWheelEntry } from '@heddle/base';
import type { ClientConnection } from '../http1/client-connection.ts';

/** When a pool's connection was begun, and the end of its longest life where it has one. */
export class ConnectionAge implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  private readonly owner: { onTooOld(connection: ClientConnection): void };
  private readonly connection: ClientConnection;

  constructor(
    owner: { onTooOld(connection: ClientConnection): void },
    connection: ClientConnection,
    startedAt: number,
  ) {
    this.owner = owner;
    this.connection = connection;
    this.startedAt = startedAt;
  }

  onTimeout(): void {
    this.owner.onTooOld(this.connection);
  }
}
