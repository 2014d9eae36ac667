// The accepted connections of a listener as a set: drained, counted and closed together.
import type { TimerWheelEntry } from '@heddle/base';
import type { ExchangeSource } from '../codec/server-stream.ts';
import type { ConnectionObserver } from '../listener/connection-group.ts';
import type { AcceptHandler } from '../transport/transport.ts';
import { ServerConnection, type ServerConnectionOwner } from './server-connection.ts';
import { type DrainPolicy, neverDrains, type ServerContext, type ServerSettings } from './server-settings.ts';

/** Drops a connection whose peer does not close its side. */
class Linger implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  private readonly server: ServerConnection;

  constructor(server: ServerConnection) {
    this.server = server;
  }

  onTimeout(): void {
    this.server.settings.metrics.delayedCloseTimeouts.value++;
    this.server.connection.destroy();
  }
}

/** The connections of one listener: drained together, closed together. */
export class ServerConnections implements ServerConnectionOwner {
  private readonly open = new Set<ServerConnection>();
  private readonly lingering = new Map<ServerConnection, Linger>();
  readonly drainPolicy: DrainPolicy;
  private readonly context: ServerContext;
  private readonly observer: ConnectionObserver | null;
  private draining = false;
  /** Who waits for the end of the last connection. */
  private readonly emptied: (() => void)[] = [];

  constructor(context: ServerContext, drainPolicy = neverDrains, observer: ConnectionObserver | null = null) {
    this.context = context;
    this.observer = observer;
    this.drainPolicy = drainPolicy;
  }

  get size(): number {
    return this.open.size;
  }

  /** Exchanges in flight. */
  get busy(): number {
    let busy = 0;
    for (const connection of this.open) if (!connection.isIdle) busy++;
    return busy;
  }

  /** Makes the accept handler of a listener; `settings` is asked for each connection, so that it follows the configuration. */
  acceptor(exchanges: ExchangeSource, settings: () => ServerSettings): AcceptHandler {
    return (connection) => {
      const server = new ServerConnection(connection, exchanges, settings(), this.context, this);
      this.open.add(server);
      this.observer?.onOpened();
      server.settings.metrics.countAccepted(connection.tls !== null);
      if (this.draining) server.isLast = true;
      return server;
    };
  }

  /** Closes idle connections and lets the others finish their exchange. */
  drain(): void {
    this.draining = true;
    for (const connection of [...this.open]) connection.drain();
  }

  /** Resolves when no connection is open any more. */
  whenEmpty(): Promise<void> {
    if (this.open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.emptied.push(resolve);
    });
  }

  /** Drops everything. */
  destroy(): void {
    for (const connection of [...this.open]) connection.connection.destroy();
  }

  remove(connection: ServerConnection): void {
    this.open.delete(connection);
    const lengthMs = this.context.clock.monotonic() - connection.acceptedAt;
    this.observer?.onClosed(connection.connection, lengthMs, null);
    const linger = this.lingering.get(connection);
    if (linger !== undefined) {
      this.context.timers.disarm(linger);
      this.lingering.delete(connection);
    }
    if (this.open.size > 0) return;
    for (const resolve of this.emptied.splice(0)) resolve();
  }

  lingerClose(connection: ServerConnection, timeoutMs: number): void {
    if (!this.open.has(connection)) return;
    // Without the timeout the socket is dropped as soon as everything has been handed to the kernel; that it has is unknown.
    if (timeoutMs === 0) return;
    const linger = new Linger(connection);
    this.lingering.set(connection, linger);
    this.context.timers.arm(linger, timeoutMs);
  }
}
