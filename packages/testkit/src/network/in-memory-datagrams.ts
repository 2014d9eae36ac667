import { type Clock, HeddleError, invariant } from '@heddle/base';
import type { DatagramAddress, DatagramHandler, DatagramOptions, DatagramSocket } from '@heddle/proxy';
import type { SeededRandom } from '../seeded-random.ts';

/** What a node's datagrams need of the network around them. */
export interface DatagramConditions {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly latencyMs: number;
  readonly jitterMs: number;
  /** The node's own addresses; the first is the source address. */
  readonly addresses: readonly string[];
  /** A port of the node's that nobody has. */
  takePort(): number;
  /** The sockets of whoever has this address; null where nothing gets there. */
  reach(host: string): DatagramPorts | null;
}

/**
 * The datagram sockets of one node. Datagrams take the network's time each on its own, so that two may change places, and
 * are lost where nobody can be reached. A socket with a peer is told where nobody listens there, as ICMP would.
 */
export class DatagramPorts {
  private readonly conditions: DatagramConditions;
  private readonly sockets = new Set<InMemoryDatagramSocket>();

  constructor(conditions: DatagramConditions) {
    this.conditions = conditions;
  }

  open(options: DatagramOptions, handler: DatagramHandler): DatagramSocket {
    const { host } = options.local;
    const port = options.local.port === 0 ? this.conditions.takePort() : options.local.port;
    if (this.find(host, port) !== null) {
      throw new HeddleError('HEDDLE_LISTEN_FAILED', `can't listen on ${host}:${port} (UDP): in use`);
    }
    const socket = new InMemoryDatagramSocket(this, { host, port }, options.peer, handler);
    this.sockets.add(socket);
    return socket;
  }

  /** The process is gone. */
  crash(): void {
    this.sockets.clear();
  }

  remove(socket: InMemoryDatagramSocket): void {
    this.sockets.delete(socket);
  }

  isOpen(socket: InMemoryDatagramSocket): boolean {
    return this.sockets.has(socket);
  }

  find(host: string, port: number): InMemoryDatagramSocket | null {
    for (const socket of this.sockets) {
      const bound = socket.address;
      if (bound.port === port && (bound.host === host || isWildcard(bound.host) || isWildcard(host)))
        return socket;
    }
    return null;
  }

  send(from: InMemoryDatagramSocket, bytes: Buffer, to: DatagramAddress): void {
    const { clock, random, latencyMs, jitterMs, addresses } = this.conditions;
    const copy = Buffer.from(bytes);
    const isLocal = to.host.startsWith('127.') || to.host === '::1';
    const source = isLocal ? to.host : (addresses[0] ?? '127.0.0.1');
    const delay = (): number => latencyMs + random.float() * jitterMs;
    clock.setTimer(delay(), () => {
      const node = isLocal ? this : this.conditions.reach(to.host);
      if (node === null) return;
      const socket = node.find(to.host, to.port);
      if (socket !== null) socket.deliver(copy, { host: source, port: from.address.port });
      else clock.setTimer(delay(), () => from.refuse());
    });
  }
}

class InMemoryDatagramSocket implements DatagramSocket {
  readonly address: DatagramAddress;
  private readonly ports: DatagramPorts;
  private readonly peer: DatagramAddress | null;
  private readonly handler: DatagramHandler;

  constructor(
    ports: DatagramPorts,
    address: DatagramAddress,
    peer: DatagramAddress | null,
    handler: DatagramHandler,
  ) {
    this.ports = ports;
    this.address = address;
    this.peer = peer;
    this.handler = handler;
  }

  send(bytes: Buffer, to: DatagramAddress): void {
    if (!this.ports.isOpen(this)) return;
    invariant(
      this.peer === null || (this.peer.host === to.host && this.peer.port === to.port),
      'a socket sends to its peer',
    );
    this.ports.send(this, bytes, to);
  }

  close(): void {
    this.ports.remove(this);
  }

  deliver(bytes: Buffer, from: DatagramAddress): void {
    if (!this.ports.isOpen(this)) return;
    if (this.peer !== null && (this.peer.host !== from.host || this.peer.port !== from.port)) return;
    this.handler.onDatagram(bytes, from);
  }

  refuse(): void {
    if (this.ports.isOpen(this) && this.peer !== null) this.handler.onError('ECONNREFUSED');
  }
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
