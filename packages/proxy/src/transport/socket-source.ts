import { describeAddress } from './address.ts';
import type { TransportAddress } from './transport.ts';

/** A socket that is open already and that others come to, such as one of the process that this one replaces. */
export interface OpenSocket {
  /** The address it was asked for, as `describeAddress` writes it; of datagrams with `udp ` in front. */
  readonly address: string;
  readonly descriptor: number;
  /** Node's own object for it, where this thread's event loop watches it; it can be sent to another process. */
  readonly handle?: unknown;
}

/** How a thread is to listen on an address. */
export interface ListenPlan {
  /** Sockets to take over; none: open one. */
  readonly descriptors: readonly number[];
  /** Other threads listen on the port too (`SO_REUSEPORT`). */
  readonly sharesPort: boolean;
  /** The port to bind, where another thread has chosen it. */
  readonly port: number | null;
  /** False: another thread listens, this one is to do without. */
  readonly listens: boolean;
  /** The file of a Unix socket goes when it is closed; else it is another thread's affair. */
  readonly removesFile: boolean;
}

/** Opens a listening socket once more, for another thread; null where that can't be done. */
export type DuplicateSocket = () => number | null;

/** Where a transport's listening sockets come from. */
export interface SocketSource {
  /** Asked before an address is bound. */
  prepare(address: TransportAddress): Promise<ListenPlan>;
  /** An address that was asked for is bound, on `port`; 0 for a Unix socket, which `duplicate` opens for other threads. */
  onBound(address: TransportAddress, port: number, duplicate: DuplicateSocket): void;
  /** It is closed; -1 for the port of one that could not be bound. */
  onClosed(address: TransportAddress, port: number): void;
}

/** Opens a socket of its own for each address, as a process of one thread does. */
export const ownSockets: SocketSource = {
  prepare: () =>
    Promise.resolve({ descriptors: [], sharesPort: false, port: null, listens: true, removesFile: true }),
  onBound: () => undefined,
  onClosed: () => undefined,
};

/** Gives out sockets that are open already, the first one first. */
export class InheritedSockets {
  private readonly byAddress = new Map<string, number[]>();

  constructor(sockets: readonly OpenSocket[]) {
    for (const { address, descriptor } of sockets) {
      const descriptors = this.byAddress.get(address);
      if (descriptors === undefined) this.byAddress.set(address, [descriptor]);
      else descriptors.push(descriptor);
    }
  }

  get isEmpty(): boolean {
    return this.byAddress.size === 0;
  }

  /** All sockets of an address, which are the caller's from now on. */
  take(address: TransportAddress): readonly number[] {
    return this.takeNamed(describeAddress(address));
  }

  /** The same by `OpenSocket.address`. */
  takeNamed(key: string): readonly number[] {
    const descriptors = this.byAddress.get(key) ?? [];
    this.byAddress.delete(key);
    return descriptors;
  }

  /** What nobody has asked for. */
  takeRest(): readonly number[] {
    const rest = [...this.byAddress.values()].flat();
    this.byAddress.clear();
    return rest;
  }
}
