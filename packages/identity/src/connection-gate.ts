// Bounds what those who have not said who they are may hold of a server: connections, and time.
import type { Socket } from 'node:net';
import type { Clock, Timer } from '@heddle/base';

export interface ConnectionGateOptions {
  readonly clock: Clock;
  /** How long a connection may be pending, whatever it sends meanwhile. */
  readonly limitMs: number;
  /** How many connections may be pending at once. */
  readonly maxPending: number;
  /** How many of them may come from one remote address; as many as there may be where absent. */
  readonly maxPendingPerAddress?: number;
}

/** The peer of a connection. A TLS socket and the TCP socket under it give the same. */
export type RemoteEnd = Pick<Socket, 'remoteAddress' | 'remotePort'>;

interface Pending {
  readonly key: string;
  readonly address: string;
  readonly socket: Socket;
  readonly timer: Timer;
}

function keyOf({ remoteAddress, remotePort }: RemoteEnd): string {
  return `${remoteAddress}|${remotePort}`;
}

function oldest(pending: Iterable<Pending>): Pending | undefined {
  const [first] = pending;
  return first;
}

/**
 * Holds a server's connections from `admit` until `release`. One that takes too long is destroyed. Where there are too
 * many, the oldest is destroyed and the new one let in: an honest client is through in milliseconds, so that the
 * oldest is most likely one that only occupies its place, and refusing the newest would shut out everybody.
 */
export class ConnectionGate {
  private readonly options: ConnectionGateOptions;
  /** In order of arrival, as are the sets of `byAddress`. */
  private readonly pending = new Map<string, Pending>();
  private readonly byAddress = new Map<string, Set<Pending>>();

  constructor(options: ConnectionGateOptions) {
    this.options = options;
  }

  /** Connections that are admitted, open and not released. */
  get size(): number {
    return this.pending.size;
  }

  /** Takes a connection in, at the cost of the oldest one where there are too many. */
  admit(socket: Socket): void {
    const address = socket.remoteAddress;
    if (address === undefined) {
      // Gone already.
      socket.destroy();
      return;
    }
    const { clock, limitMs, maxPending, maxPendingPerAddress = Infinity } = this.options;
    const neighbours = this.byAddress.get(address);
    if (neighbours !== undefined && neighbours.size >= maxPendingPerAddress) this.drop(oldest(neighbours));
    if (this.pending.size >= maxPending) this.drop(oldest(this.pending.values()));
    const timer = clock.setTimer(limitMs, () => this.drop(entry));
    const entry: Pending = { key: keyOf(socket), address, socket, timer };
    // The same address and port again: the earlier connection's end has not been seen yet.
    this.drop(this.pending.get(entry.key));
    this.pending.set(entry.key, entry);
    const group = this.byAddress.get(address) ?? new Set();
    this.byAddress.set(address, group.add(entry));
    socket.once('close', () => this.forget(entry));
  }

  /** Lets a connection live on, uncounted. Does nothing where it is not pending. */
  release(end: RemoteEnd): void {
    const entry = this.pending.get(keyOf(end));
    if (entry !== undefined) this.forget(entry);
  }

  /** Destroys all that are pending. */
  close(): void {
    for (const entry of [...this.pending.values()]) this.drop(entry);
  }

  private drop(entry: Pending | undefined): void {
    if (entry === undefined) return;
    this.forget(entry);
    entry.socket.destroy();
  }

  private forget(entry: Pending): void {
    if (this.pending.get(entry.key) !== entry) return;
    entry.timer.cancel();
    this.pending.delete(entry.key);
    const group = this.byAddress.get(entry.address);
    group?.delete(entry);
    if (group?.size === 0) this.byAddress.delete(entry.address);
  }
}
