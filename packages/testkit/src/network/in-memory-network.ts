import { createHash } from 'node:crypto';
import { type Clock, HeddleError, type Timer, invariant } from '@heddle/base';
import type {
  AcceptHandler,
  ConnectOptions,
  Connection,
  ConnectionHandler,
  DatagramHandler,
  DatagramOptions,
  DatagramSocket,
  DatagramTransport,
  LinkSecurity,
  ListenOptions,
  Listener,
  TcpAddress,
  Transport,
  TransportAddress,
  TransportError,
} from '@heddle/proxy';
import { describeAddress, hostAndPort, isUnixAddress } from '@heddle/proxy';
import { clientHello } from './client-hello.ts';
import { SeededRandom } from '../seeded-random.ts';
import { InMemoryConnection, type StreamConditions } from './in-memory-connection.ts';
import { DatagramPorts } from './in-memory-datagrams.ts';
import { HelloReader, failed, simulatedSession } from './in-memory-handshake.ts';
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
  readonly security: ListenOptions['security'];
  readonly accept: AcceptHandler;
}

/** The rest of a handshake whose ClientHello the server's owner has read. */
type ServerHandshake = (server: SimulatedNode, security: LinkSecurity, accept: AcceptHandler) => void;

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
  private readonly ports = new WeakMap<SimulatedNode, DatagramPorts>();
  private readonly blocked = new Set<string>();
  private readonly heldWires: Wire[] = [];
  /** Clients that have begun a handshake with a server that reads bytes, by the server's end. */
  readonly handshakes = new WeakMap<InMemoryConnection, ServerHandshake>();

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

  /** The datagram sockets of a node that is being made. */
  datagramsOf(node: SimulatedNode): DatagramPorts {
    const { latencyMs, jitterMs } = this.conditions;
    const ports = new DatagramPorts({
      clock: this.clock,
      random: this.random.fork(`datagrams of ${node.name}`),
      latencyMs,
      jitterMs,
      addresses: node.addresses,
      takePort: () => node.takePort(),
      reach: (host) => {
        const target = this.find(host);
        if (target === null || !target.isAlive || this.blocked.has(`${node.name} ${target.name}`))
          return null;
        return this.ports.get(target) ?? null;
      },
    });
    this.ports.set(node, ports);
    return ports;
  }

  /** Makes both ends of a connection that is being established. */
  pair(client: SimulatedNode, server: SimulatedNode, localPort: number, remote: TransportAddress): Pair {
    const toServer = new Wire(this.conditions, client.name, server.name);
    const toClient = new Wire(this.conditions, server.name, client.name);
    const source = sourceOf(client, localPort, remote);
    const target = targetOf(server, remote);
    const clientEnd = new InMemoryConnection(this.conditions, client.cuts, toServer, {
      localAddress: source.host,
      localPort: source.port,
      remoteAddress: target.host,
      remotePort: target.port,
    });
    const serverEnd = new InMemoryConnection(this.conditions, server.cuts, toClient, {
      localAddress: target.host,
      localPort: target.port,
      remoteAddress: source.host,
      remotePort: source.port,
    });
    clientEnd.attach(serverEnd);
    serverEnd.attach(clientEnd);
    return { clientEnd, serverEnd, toServer, toClient };
  }
}

/** A client's own end of a connection to `remote`. */
function sourceOf(client: SimulatedNode, port: number, remote: TransportAddress): TcpAddress {
  if (isUnixAddress(remote)) return { host: '', port: 0 };
  return { host: isLoopback(remote.host) ? '127.0.0.1' : client.addresses[0]!, port };
}

/** A server's own end of a connection that a client made to `remote`. */
function targetOf(server: SimulatedNode, remote: TransportAddress): TcpAddress {
  if (isUnixAddress(remote)) return hostAndPort(remote);
  return { host: isLoopback(remote.host) ? '127.0.0.1' : server.addressFor(remote.host), port: remote.port };
}

/** Both ends of a connection and the ways between them. */
interface Pair {
  readonly clientEnd: InMemoryConnection;
  readonly serverEnd: InMemoryConnection;
  readonly toServer: Wire;
  readonly toClient: Wire;
}

/** One process of a simulation. What runs in it is given this node's transport, clock and random. */
export class SimulatedNode implements Transport, DatagramTransport {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly hostNames: readonly string[];
  readonly identity: string;
  /** The first of its addresses that is not a loopback's. */
  readonly ownAddress: string;
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
  private readonly datagrams: DatagramPorts;
  private readonly connections = new Set<InMemoryConnection>();
  private nextPort = firstEphemeralPort;

  constructor(network: InMemoryNetwork, options: NodeOptions, random: SeededRandom) {
    this.network = network;
    this.name = options.name;
    this.addresses = options.addresses;
    this.ownAddress = options.addresses.find((address) => !address.startsWith('127.')) ?? '';
    this.hostNames = options.hostNames ?? [];
    this.identity = options.identity ?? '';
    this.certificateNotAfter = options.certificateNotAfter ?? Number.MAX_SAFE_INTEGER;
    this.fingerprint = createHash('sha256').update(`${this.identity} ${this.name}`).digest('hex');
    this.random = random;
    this.cuts = random.fork('cuts');
    this.datagrams = network.datagramsOf(this);
    const { clock } = network;
    this.clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      recent: () => clock.recent(),
      setTimer: (delayMs, callback): Timer =>
        clock.setTimer(delayMs, () => {
          if (this.alive) callback();
        }),
      defer: (callback) => {
        clock.defer(() => {
          if (this.alive) callback();
        });
      },
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
    this.datagrams.crash();
    this.listeners.clear();
    for (const connection of this.connections) connection.die();
    this.connections.clear();
  }

  async listen(options: ListenOptions, accept: AcceptHandler): Promise<Listener> {
    if (!this.alive) return new Promise(() => undefined);
    const { address, security } = options;
    if (isUnixAddress(address)) return this.bind(address.path, { node: this, address, security, accept });
    const { host } = address;
    if (!isLoopback(host) && !wildcardHosts.has(host) && !this.addresses.includes(host)) {
      throw new HeddleError(
        'HEDDLE_LISTEN_FAILED',
        `cannot listen on ${host}:${address.port}: no such address here`,
      );
    }
    const port = address.port === 0 ? this.takePort() : address.port;
    for (const bound of this.listeners.values()) {
      const other = hostAndPort(bound.address);
      const overlaps = other.host === host || wildcardHosts.has(other.host) || wildcardHosts.has(host);
      if (other.port === port && overlaps) {
        throw new HeddleError('HEDDLE_LISTEN_FAILED', `cannot listen on ${host}:${port}: the port is in use`);
      }
    }
    return this.bind(`${host}:${port}`, { node: this, address: { host, port }, security, accept });
  }

  private bind(key: string, listener: BoundListener): Listener {
    if (this.listeners.has(key)) {
      throw new HeddleError('HEDDLE_LISTEN_FAILED', `cannot listen on ${key}: it is in use`);
    }
    this.listeners.set(key, listener);
    return {
      address: listener.address,
      close: () => {
        if (this.listeners.get(key) === listener) this.listeners.delete(key);
        return Promise.resolve();
      },
    };
  }

  connect(options: ConnectOptions, handler: ConnectionHandler): Connection {
    const { address } = options;
    const isLocal = isUnixAddress(address) || isLoopback(address.host);
    const server = isLocal ? this : this.network.find(address.host);
    const pair = this.network.pair(this, server ?? this, this.takePort(), address);
    const { clientEnd } = pair;
    if (!this.alive) {
      clientEnd.die();
      return clientEnd;
    }
    const timeout = this.clock.setTimer(options.timeoutMs, () => {
      const detail = `${describeAddress(address)} did not answer within ${options.timeoutMs} ms`;
      clientEnd.fail(failure('connect-timeout', detail));
    });
    this.connections.add(clientEnd);
    clientEnd.own(handler, () => {
      timeout.cancel();
      this.connections.delete(clientEnd);
    });
    const { preface = null } = options;
    if (options.security === null && preface !== null) clientEnd.write(preface, 0, preface.length);
    if (server !== null) {
      this.handshake(pair, server, options, timeout);
    } else if (!isLocal && !isIpLiteral(address.host)) {
      this.clock.setTimer(0, () =>
        clientEnd.fail(failure('connect-failed', `the name ${address.host} does not resolve`)),
      );
    }
    return clientEnd;
  }

  async openDatagrams(options: DatagramOptions, handler: DatagramHandler): Promise<DatagramSocket> {
    return this.alive ? this.datagrams.open(options, handler) : new Promise(() => undefined);
  }

  /** The address that a name of this node stands for. */
  addressFor(host: string): string {
    return this.addresses.includes(host) ? host : this.addresses[0]!;
  }

  /** The listener that answers for this address of the node. */
  private listenerFor(address: TransportAddress): BoundListener | null {
    if (isUnixAddress(address)) return this.listeners.get(address.path) ?? null;
    const { host, port } = address;
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
    const { address, security } = options;
    const connected = (): void => {
      timeout.cancel();
      clientEnd.establish(true);
    };
    toServer.send(() => {
      const listener = server.isAlive ? server.listenerFor(address) : null;
      if (listener === null) {
        toClient.send(() =>
          clientEnd.fail(failure('connect-failed', `connection to ${describeAddress(address)} refused`)),
        );
        return;
      }
      const accept = (): void => {
        if (serverEnd.isOpen) server.accept(serverEnd, listener);
      };
      if (security === null) {
        // A plain client at a secured listener is connected as far as TCP goes; its first bytes are no handshake.
        toClient.send(connected);
        if (listener.security === null) accept();
        else serverEnd.refuse();
        return;
      }
      const serverSecurity =
        typeof listener.security === 'function' ? listener.security() : listener.security;
      if (serverSecurity === null) {
        // Whoever owns the other end reads a ClientHello and may go on from there (`secure`).
        this.network.handshakes.set(serverEnd, (node, chosen, acceptSecured) => {
          this.shakeHands(pair, node, security, chosen, connected, (isWelcome) => {
            if (isWelcome) serverEnd.takeOver(acceptSecured(serverEnd));
            else serverEnd.fail(failed('the certificate was refused'));
          });
        });
        accept();
        toClient.send(() => {
          if (clientEnd.isOpen) clientEnd.beginHandshake(clientHello(security), options.preface ?? null);
        });
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
          this.shakeHands(pair, server, security, serverSecurity, connected, (isWelcome) => {
            if (isWelcome) accept();
            else serverEnd.refuse();
          });
        });
      });
    });
  }

  /** A handshake of TLS 1.3 from the server's answer to the ClientHello on. */
  private shakeHands(
    pair: Pair,
    server: SimulatedNode,
    clientSecurity: LinkSecurity,
    serverSecurity: LinkSecurity,
    connected: () => void,
    judged: (isWelcome: boolean) => void,
  ): void {
    const { clientEnd, serverEnd, toServer, toClient } = pair;
    toClient.send(() => {
      if (!clientEnd.isOpen) return;
      const problem = this.objection(server, clientSecurity);
      if (problem !== '') {
        clientEnd.fail(failure('tls-failed', problem));
        return;
      }
      clientEnd.secure(simulatedSession(server, clientSecurity, serverSecurity));
      toServer.send(() => {
        const isWelcome = server.isAlive && server.objection(this, serverSecurity) === '';
        if (isWelcome) serverEnd.secure(simulatedSession(this, clientSecurity, serverSecurity));
        judged(isWelcome);
      });
      connected();
    });
  }

  secure(
    connection: Connection,
    received: Buffer,
    security: LinkSecurity,
    accept: AcceptHandler,
    onFailed: () => void,
  ): void {
    invariant(
      connection instanceof InMemoryConnection,
      'a connection is secured by the engine that accepted it',
    );
    if (!connection.isOpen) {
      onFailed();
      return;
    }
    const handshake = this.network.handshakes.get(connection);
    const hello = connection.peerHello ?? Buffer.alloc(0);
    const onHello = (): void => handshake?.(this, security, accept);
    HelloReader.takeOver(connection, hello, received, onHello, onFailed);
  }

  /** What this node has against `peer` under `security`; empty for nothing. */
  private objection(peer: SimulatedNode, security: LinkSecurity): string {
    const { validation } = security;
    if (validation === null || (validation.kind === 'roots' && peer.identity === '')) return '';
    if (peer.identity === '') return 'the peer has no certificate';
    if (trustDomainOf(peer.identity) !== trustDomainOf(this.identity)) {
      return `the trust domain of ${peer.identity} is not this mesh's`;
    }
    if (validation.kind === 'mesh' && validation.acceptPeer?.(peer.identity) === false)
      return `${peer.identity} is not who was expected`;
    return '';
  }

  private accept(serverEnd: InMemoryConnection, listener: BoundListener): void {
    this.connections.add(serverEnd);
    serverEnd.open();
    serverEnd.own(listener.accept(serverEnd), () => this.connections.delete(serverEnd));
    serverEnd.establish(false);
  }

  /** A port that nobody has. */
  takePort(): number {
    return this.nextPort++;
  }
}

function failure(kind: TransportError['kind'], detail: string): TransportError {
  return { kind, detail };
}
