import { createHash } from 'node:crypto';
import { type Clock, HeddleError, type Timer, invariant } from '@heddle/base';
import type {
  AcceptHandler,
  ConnectOptions,
  Connection,
  ConnectionHandler,
  LinkSecurity,
  ListenOptions,
  Listener,
  Transport,
  TransportAddress,
  TransportError,
} from '@heddle/proxy';
import { SeededRandom } from '../seeded-random.ts';
import { InMemoryConnection, type StreamConditions } from './in-memory-connection.ts';
import { Wire } from './wire.ts';

export interface InMemoryNetworkOptions {
  /** Usually a `VirtualClock`. */
  readonly clock: Clock;
  readonly seed: number | string;
  /** One way between two nodes; default 0.2 ms. */
  readonly latencyMs?: number;
  /** Added at random to each way; default 0.3 ms. */
  readonly jitterMs?: number;
  /** Within a node; default 0.02 ms. */
  readonly loopbackMs?: number;
  /** Bytes between a writer and its reader before `write` returns false; default 64 KiB. */
  readonly windowBytes?: number;
  /** Cut what arrives at random places; default true. */
  readonly splitReads?: boolean;
}

/** A process of a simulation: its name, how others reach it, and who it is. */
export interface NodeOptions {
  /** Unique among the nodes that live. */
  readonly name: string;
  /** IP addresses; the first is the source address of its connections. */
  readonly addresses: readonly string[];
  /** Names that resolve to the first address. */
  readonly hostNames?: readonly string[];
  /** The SPIFFE id its secured connections carry; none by default, then it has no secured connections. */
  readonly identity?: string;
  /** End of its certificate's validity; default never. */
  readonly certificateNotAfter?: number;
}

interface BoundListener {
  readonly node: SimulatedNode;
  readonly address: TransportAddress;
  readonly security: LinkSecurity | null;
  readonly accept: AcceptHandler;
}

const firstEphemeralPort = 32_768;
const wildcardHosts = new Set(['0.0.0.0', '::']);

function trustDomainOf(spiffeId: string): string {
  return /^spiffe:\/\/([^/]+)\//.exec(spiffeId)?.[1] ?? '';
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function isIpLiteral(host: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(host) || host.includes(':');
}

/**
 * A network in memory: nodes with addresses, each with a `Transport` of its own, over a clock that the test moves and a
 * seed that decides delays and where reads are cut. The same seed and the same calls give the same run.
 *
 * Link security is replaced: a secured connection carries the identities the two nodes were configured with, and is
 * refused as TLS 1.3 would refuse it: a client that does not accept its server never connects, a server that does not
 * accept its client closes after the client believes to be connected.
 */
export class InMemoryNetwork {
  readonly clock: Clock;
  private readonly random: SeededRandom;
  private readonly conditions: StreamConditions;
  private readonly nodes = new Map<string, SimulatedNode>();
  private readonly blocked = new Set<string>();
  private readonly heldWires: Wire[] = [];

  constructor(options: InMemoryNetworkOptions) {
    this.clock = options.clock;
    this.random = new SeededRandom(options.seed);
    this.conditions = {
      clock: options.clock,
      random: this.random.fork('wires'),
      latencyMs: options.latencyMs ?? 0.2,
      jitterMs: options.jitterMs ?? 0.3,
      loopbackMs: options.loopbackMs ?? 0.02,
      windowBytes: options.windowBytes ?? 65_536,
      splitReads: options.splitReads ?? true,
      isBlocked: (from, to) => this.blocked.has(`${from} ${to}`),
      onHeld: (wire) => this.heldWires.push(wire),
    };
  }

  /** Starts a node. A crashed node's name and addresses may be used again: that is its restart. */
  addNode(options: NodeOptions): SimulatedNode {
    const taken = this.nodes.get(options.name);
    invariant(taken === undefined || !taken.isAlive, `the node ${options.name} is running already`);
    for (const other of this.nodes.values()) {
      const clash = options.addresses.find((address) => other.isAlive && other.addresses.includes(address));
      invariant(clash === undefined, `the address ${clash} belongs to ${other.name}`);
    }
    const node = new SimulatedNode(this, options, this.random.fork(`node ${options.name}`));
    this.nodes.set(options.name, node);
    return node;
  }

  /** Lets nothing through between two nodes, by name, in either direction; what is sent waits. */
  block(a: string, b: string): void {
    this.blocked.add(`${a} ${b}`);
    this.blocked.add(`${b} ${a}`);
  }

  /** Ends what `block` began; what waited goes on its way. */
  unblock(a: string, b: string): void {
    this.blocked.delete(`${a} ${b}`);
    this.blocked.delete(`${b} ${a}`);
    // A wire of another pair that is still cut off comes back here by itself.
    for (const wire of this.heldWires.splice(0)) wire.release();
  }

  /** The node that has this address or name, running or crashed. */
  find(host: string): SimulatedNode | null {
    let crashed: SimulatedNode | null = null;
    for (const node of this.nodes.values()) {
      if (!node.addresses.includes(host) && !node.hostNames.includes(host)) continue;
      if (node.isAlive) return node;
      crashed = node;
    }
    return crashed;
  }

  /** Makes both ends of a connection that is being established. */
  pair(client: SimulatedNode, server: SimulatedNode, localPort: number, remote: TransportAddress): Pair {
    const toServer = new Wire(this.conditions, client.name, server.name);
    const toClient = new Wire(this.conditions, server.name, client.name);
    const source = isLoopback(remote.host) ? '127.0.0.1' : client.addresses[0]!;
    const target = isLoopback(remote.host) ? '127.0.0.1' : server.addressFor(remote.host);
    const clientEnd = new InMemoryConnection(this.conditions, client.cuts, toServer, {
      localAddress: source,
      localPort,
      remoteAddress: target,
      remotePort: remote.port,
    });
    const serverEnd = new InMemoryConnection(this.conditions, server.cuts, toClient, {
      localAddress: target,
      localPort: remote.port,
      remoteAddress: source,
      remotePort: localPort,
    });
    clientEnd.attach(serverEnd);
    serverEnd.attach(clientEnd);
    return { clientEnd, serverEnd, toServer, toClient };
  }
}

/** Both ends of a connection and the ways between them. */
interface Pair {
  readonly clientEnd: InMemoryConnection;
  readonly serverEnd: InMemoryConnection;
  readonly toServer: Wire;
  readonly toClient: Wire;
}

/** One process of a simulation. What runs in it is given this node's transport, clock and random. */
export class SimulatedNode implements Transport {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly hostNames: readonly string[];
  readonly identity: string;
  readonly certificateNotAfter: number;
  /** Stands for the SHA-256 of its certificate. */
  readonly fingerprint: string;
  /** Randomness of this node's own. */
  readonly random: SeededRandom;
  /** Decides where this node's reads are cut. */
  readonly cuts: SeededRandom;
  /** The network's clock, as long as the node runs: a crash stops its timers too. */
  readonly clock: Clock;
  private readonly network: InMemoryNetwork;
  private alive = true;
  private readonly listeners = new Map<string, BoundListener>();
  private readonly connections = new Set<InMemoryConnection>();
  private nextPort = firstEphemeralPort;

  constructor(network: InMemoryNetwork, options: NodeOptions, random: SeededRandom) {
    this.network = network;
    this.name = options.name;
    this.addresses = options.addresses;
    this.hostNames = options.hostNames ?? [];
    this.identity = options.identity ?? '';
    this.certificateNotAfter = options.certificateNotAfter ?? Number.MAX_SAFE_INTEGER;
    this.fingerprint = createHash('sha256').update(`${this.identity} ${this.name}`).digest('hex');
    this.random = random;
    this.cuts = random.fork('cuts');
    const { clock } = network;
    this.clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimer: (delayMs, callback): Timer =>
        clock.setTimer(delayMs, () => {
          if (this.alive) callback();
        }),
    };
  }

  get isAlive(): boolean {
    return this.alive;
  }

  /** Ends of connections that this node holds, those being established included. */
  get openConnections(): number {
    return this.connections.size;
  }

  /** Kills the process: its listeners, connections and timers are gone at once, and nothing in it is told. */
  crash(): void {
    this.alive = false;
    this.listeners.clear();
    for (const connection of this.connections) connection.die();
    this.connections.clear();
  }

  async listen(options: ListenOptions, accept: AcceptHandler): Promise<Listener> {
    const { host } = options.address;
    if (!this.alive) return new Promise(() => undefined);
    if (!isLoopback(host) && !wildcardHosts.has(host) && !this.addresses.includes(host)) {
      throw new HeddleError(
        'HEDDLE_LISTEN_FAILED',
        `cannot listen on ${host}:${options.address.port}: no such address here`,
      );
    }
    const port = options.address.port === 0 ? this.takePort() : options.address.port;
    for (const bound of this.listeners.values()) {
      const overlaps =
        bound.address.host === host || wildcardHosts.has(bound.address.host) || wildcardHosts.has(host);
      if (bound.address.port === port && overlaps) {
        throw new HeddleError('HEDDLE_LISTEN_FAILED', `cannot listen on ${host}:${port}: the port is in use`);
      }
    }
    const address = { host, port };
    const key = `${host}:${port}`;
    const listener: BoundListener = { node: this, address, security: options.security, accept };
    this.listeners.set(key, listener);
    return {
      address,
      close: () => {
        if (this.listeners.get(key) === listener) this.listeners.delete(key);
        return Promise.resolve();
      },
    };
  }

  connect(options: ConnectOptions, handler: ConnectionHandler): Connection {
    const { address } = options;
    const server = isLoopback(address.host) ? this : this.network.find(address.host);
    const pair = this.network.pair(this, server ?? this, this.takePort(), address);
    const { clientEnd } = pair;
    if (!this.alive) {
      clientEnd.die();
      return clientEnd;
    }
    const timeout = this.clock.setTimer(options.timeoutMs, () => {
      const detail = `${address.host}:${address.port} did not answer within ${options.timeoutMs} ms`;
      clientEnd.fail(failure('connect-timeout', detail));
    });
    this.connections.add(clientEnd);
    clientEnd.own(handler, () => {
      timeout.cancel();
      this.connections.delete(clientEnd);
    });
    if (server !== null) {
      this.handshake(pair, server, options, timeout);
    } else if (!isIpLiteral(address.host)) {
      this.clock.setTimer(0, () =>
        clientEnd.fail(failure('connect-failed', `the name ${address.host} does not resolve`)),
      );
    }
    return clientEnd;
  }

  /** The address that a name of this node stands for. */
  addressFor(host: string): string {
    return this.addresses.includes(host) ? host : this.addresses[0]!;
  }

  /** The listener that answers for this address of the node. */
  private listenerFor(host: string, port: number): BoundListener | null {
    const names = isLoopback(host) ? ['127.0.0.1', 'localhost', '::1', host] : [this.addressFor(host)];
    for (const name of [...names, ...wildcardHosts]) {
      const listener = this.listeners.get(`${name}:${port}`);
      if (listener !== undefined) return listener;
    }
    return null;
  }

  /** The three-way handshake and, where secured, that of TLS 1.3, one message per way. */
  private handshake(pair: Pair, server: SimulatedNode, options: ConnectOptions, timeout: Timer): void {
    const { clientEnd, serverEnd, toServer, toClient } = pair;
    const { host, port } = options.address;
    const connected = (): void => {
      timeout.cancel();
      clientEnd.establish(true);
    };
    toServer.send(() => {
      const listener = server.isAlive ? server.listenerFor(host, port) : null;
      if (listener === null) {
        toClient.send(() =>
          clientEnd.fail(failure('connect-failed', `connection to ${host}:${port} refused`)),
        );
        return;
      }
      const accept = (): void => {
        if (serverEnd.isOpen) server.accept(serverEnd, listener);
      };
      if (options.security === null) {
        // A plain client at a secured listener is connected as far as TCP goes; its first bytes are no handshake.
        toClient.send(connected);
        if (listener.security === null) accept();
        else serverEnd.refuse();
        return;
      }
      toClient.send(() => {
        if (!clientEnd.isOpen) return;
        toServer.send(() => {
          // A process that dies in the middle of a handshake resets it.
          if (!server.isAlive) {
            serverEnd.refuse();
            return;
          }
          toClient.send(() => {
            if (!clientEnd.isOpen) return;
            const problem =
              listener.security === null
                ? 'the peer speaks no TLS'
                : this.objection(server, options.security);
            if (problem !== '') {
              clientEnd.fail(failure('tls-failed', problem));
              return;
            }
            clientEnd.secure(server.identity, server.fingerprint, server.certificateNotAfter);
            toServer.send(() => {
              if (!server.isAlive || server.objection(this, listener.security) !== '') {
                serverEnd.refuse();
                return;
              }
              serverEnd.secure(this.identity, this.fingerprint, this.certificateNotAfter);
              accept();
            });
            connected();
          });
        });
      });
    });
  }

  /** What this node has against `peer` under `security`; empty for nothing. */
  private objection(peer: SimulatedNode, security: LinkSecurity | null): string {
    if (peer.identity === '') return 'the peer has no certificate';
    if (trustDomainOf(peer.identity) !== trustDomainOf(this.identity)) {
      return `the trust domain of ${peer.identity} is not this mesh's`;
    }
    if (security?.acceptPeer?.(peer.identity) === false) return `${peer.identity} is not who was expected`;
    return '';
  }

  private accept(serverEnd: InMemoryConnection, listener: BoundListener): void {
    this.connections.add(serverEnd);
    serverEnd.open();
    serverEnd.own(listener.accept(serverEnd), () => this.connections.delete(serverEnd));
    serverEnd.establish(false);
  }

  private takePort(): number {
    return this.nextPort++;
  }
}

function failure(kind: TransportError['kind'], detail: string): TransportError {
  return { kind, detail };
}
