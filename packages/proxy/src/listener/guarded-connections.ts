import type { Clock } from '@heddle/base';
import type { AccessLog } from '../access-log/access-log.ts';
import type { AcceptHandler, Connection, ConnectionHandler } from '../transport/transport.ts';
import type { ConnectionFilter } from './connection-filter.ts';
import type { ConnectionGroup, ConnectionObserver } from './connection-group.ts';
import { ConnectionLogEntry } from './connection-log-entry.ts';

/** The connections of a filter chain whose network filters decide first which may stay. */
export class GuardedConnections implements ConnectionGroup {
  readonly accept: AcceptHandler;
  private readonly group: ConnectionGroup;
  private readonly filters: readonly ConnectionFilter[];

  /** `logs` tell of what is refused, besides those of the listener. */
  constructor(
    group: ConnectionGroup,
    filters: readonly ConnectionFilter[],
    logs: readonly AccessLog[],
    clock: Clock,
    observer: ConnectionObserver,
  ) {
    this.group = group;
    this.filters = filters;
    this.accept = (connection) => {
      const reason = this.reasonAgainst(connection);
      if (reason === null) return group.accept(connection);
      return new ForbiddenConnection(connection, reason, logs, clock, group, observer);
    };
  }

  begin(isSecured: boolean): void {
    this.group.begin(isSecured);
  }

  abandon(isSecured: boolean, closedHere: boolean, lengthMs: number): void {
    this.group.abandon(isSecured, closedHere, lengthMs);
  }

  get size(): number {
    return this.group.size;
  }

  get busy(): number {
    return this.group.busy;
  }

  drain(): void {
    this.group.drain();
  }

  dismiss(): void {
    this.group.dismiss();
  }

  whenEmpty(): Promise<void> {
    return this.group.whenEmpty();
  }

  destroy(): void {
    this.group.destroy();
  }

  private reasonAgainst(connection: Connection): string | null {
    for (const filter of this.filters) {
      const reason = filter.onConnection(connection);
      if (reason !== null) return reason;
    }
    return null;
  }
}

/** Closes a connection as soon as it has an owner, and tells the logs why. */
class ForbiddenConnection implements ConnectionHandler {
  private readonly connection: Connection;
  private readonly reason: string;
  private readonly logs: readonly AccessLog[];
  private readonly clock: Clock;
  private readonly group: ConnectionGroup;
  private readonly observer: ConnectionObserver;
  private readonly acceptedAt: number;

  constructor(
    connection: Connection,
    reason: string,
    logs: readonly AccessLog[],
    clock: Clock,
    group: ConnectionGroup,
    observer: ConnectionObserver,
  ) {
    this.connection = connection;
    this.reason = reason;
    this.logs = logs;
    this.clock = clock;
    this.group = group;
    this.observer = observer;
    this.acceptedAt = clock.monotonic();
    // A secured one has begun before its handshake.
    if (connection.tls === null) group.begin(false);
    connection.pauseReading();
    clock.setTimer(0, () => connection.destroy());
  }

  onConnect(): void {
    // It was accepted.
  }

  onData(): void {
    // Nobody reads it.
  }

  onEnd(): void {
    // It is about to be closed.
  }

  onDrain(): void {
    // Nothing is written.
  }

  onClose(): void {
    const { connection, clock, logs, observer } = this;
    const lengthMs = clock.monotonic() - this.acceptedAt;
    const isLogged = logs.length > 0 || observer.hasAccessLogs;
    const entry = isLogged
      ? new ConnectionLogEntry(connection, clock.now(), lengthMs, '', '', this.reason)
      : null;
    if (entry !== null) for (const log of logs) log.log(entry);
    this.group.abandon(connection.tls !== null, true, lengthMs);
    observer.onClosed(connection, lengthMs, entry);
  }
}
