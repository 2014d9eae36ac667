// Who listens on what, where several threads or two processes share ports.
import type { TransportAddress } from '../transport/transport.ts';
import { describeAddress, isUnixAddress } from '../transport/address.ts';
import type {
  DuplicateSocket,
  InheritedSockets,
  ListenPlan,
  SocketSource,
} from '../transport/socket-source.ts';
import type { BoundAddress } from './worker-messages.ts';

/**
 * Told of what the main thread has bound; `spare` are sockets for the workers, one each as far as there are any, `duplicate`
 * makes further ones of a Unix socket.
 */
export interface BindObserver {
  onBound(address: string, port: number, spare: readonly number[], duplicate: DuplicateSocket): void;
  onClosed(address: string, port: number): void;
}

/** The main thread's: takes over what the process before it had, and leaves the workers their share. */
export class MainSockets implements SocketSource {
  private readonly inherited: InheritedSockets;
  private readonly threads: number;
  private readonly observer: BindObserver | null;
  private readonly spare = new Map<string, readonly number[]>();

  constructor(inherited: InheritedSockets, threads: number, observer: BindObserver | null) {
    this.inherited = inherited;
    this.threads = threads;
    this.observer = observer;
  }

  prepare(address: TransportAddress): Promise<ListenPlan> {
    const inherited = this.inherited.take(address);
    // One for each thread; more than there are threads come from a process with more of them, and are ours to serve.
    const spare = inherited.slice(1, this.threads);
    this.spare.set(describeAddress(address), spare);
    return Promise.resolve({
      descriptors: inherited.filter((descriptor) => !spare.includes(descriptor)),
      sharesPort: !isUnixAddress(address) && this.threads > 1,
      port: null,
      listens: true,
      removesFile: true,
    });
  }

  onBound(address: TransportAddress, port: number, duplicate: DuplicateSocket): void {
    const key = describeAddress(address);
    this.observer?.onBound(key, port, this.spare.get(key) ?? [], duplicate);
    this.spare.delete(key);
  }

  onClosed(address: TransportAddress, port: number): void {
    this.observer?.onClosed(describeAddress(address), port);
  }
}

/** A worker's: waits for the main thread to bind each address, and then listens on the same port. */
export class WorkerSockets implements SocketSource {
  private readonly bound = new Map<string, BoundAddress[]>();
  private readonly waiting = new Map<string, ((bound: BoundAddress) => void)[]>();

  /** The main thread has bound an address, or could not. */
  take(bound: BoundAddress): void {
    const next = this.waiting.get(bound.address)?.shift();
    if (next !== undefined) next(bound);
    else listOf(this.bound, bound.address).push(bound);
  }

  async prepare(address: TransportAddress): Promise<ListenPlan> {
    const { port, descriptor } = await this.next(describeAddress(address));
    // A Unix socket cannot be opened twice like a port: all threads accept from one, or the main thread alone.
    const isOne = isUnixAddress(address);
    return {
      descriptors: descriptor === null ? [] : [descriptor],
      sharesPort: !isOne,
      port,
      listens: isOne ? descriptor !== null : port >= 0,
      removesFile: false,
    };
  }

  onBound(): void {
    // The main thread knows.
  }

  onClosed(): void {
    // The main thread knows.
  }

  private next(address: string): Promise<BoundAddress> {
    const known = this.bound.get(address)?.shift();
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => {
      listOf(this.waiting, address).push(resolve);
    });
  }
}

function listOf<V>(map: Map<string, V[]>, key: string): V[] {
  const known = map.get(key);
  if (known !== undefined) return known;
  const list: V[] = [];
  map.set(key, list);
  return list;
}
