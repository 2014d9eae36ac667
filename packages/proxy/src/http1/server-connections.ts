// The accepted connections of a listener as a set: drained, counted and closed together.
import type { TimerWheelEntry } from '@heddle/base';
import type { AcceptHandler, Connection } from '../transport/transport.ts';
import { ServerConnection, type ServerConnectionOwner } from './server-connection.ts';
import {
  type DrainPolicy,
  neverDrains,
  type ServerContext,
  type ServerExchange,
  type ServerLimits,
} from './server-exchange.ts';

/** `delayed_close_timeout`: how long a peer may take to read the last response before the socket is dropped. */
const lingerMs = 1000;

/** Drops a connection whose peer does not close its side. */
class Linger implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  private readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  onTimeout(): void {
    this.connection.destroy();
  }
}

/** The connections of one listener: drained together, closed together. */
export class ServerConnections implements ServerConnectionOwner {
  private readonly open = new Set<ServerConnection>();
  private readonly lingering = new Map<ServerConnection, Linger>();
  readonly drainPolicy: DrainPolicy;
  private readonly context: ServerContext;
  private draining = false;
  /** Who waits for the end of the last connection. */
  private readonly emptied: (() => void)[] = [];

  constructor(context: ServerContext, drainPolicy = neverDrains) {
    this.context = context;
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

  /** Makes the accept handler of a listener; `limits` is asked for each connection, so that it follows the configuration. */
  acceptor(
    createExchange: (server: ServerConnection) => ServerExchange,
    limits: () => ServerLimits,
  ): AcceptHandler {
    return (connection) => {
      const server = new ServerConnection(connection, createExchange, limits(), this.context, this);
      this.open.add(server);
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
    const linger = this.lingering.get(connection);
    if (linger !== undefined) {
      this.context.timers.disarm(linger);
      this.lingering.delete(connection);
    }
    if (this.open.size > 0) return;
    for (const resolve of this.emptied.splice(0)) resolve();
  }

  lingerClose(connection: ServerConnection): void {
    if (!this.open.has(connection)) return;
    const linger = new Linger(connection.connection);
    this.lingering.set(connection, linger);
    this.context.timers.arm(linger, lingerMs);
  }
}
