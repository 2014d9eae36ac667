// The engine of system calls, for plain TCP; TLS, Unix sockets and names to resolve are the node engine's.
import { isIP } from 'node:net';
import type { Clock, Logger } from '@heddle/base';
import { openSourceSocket } from '../../interception/transparent-socket.ts';
import type { LinkSecurity } from '../../tls/link-security.ts';
import { describeAddress, isUnixAddress } from '../address.ts';
import { isIpv6Address } from '../ip-address.ts';
import { networkError } from '../network-error.ts';
import { NodeTransport } from '../node/node-transport.ts';
import { readBuffers } from '../read-buffers.ts';
import { type OpenSocket, type SocketSource, ownSockets } from '../socket-source.ts';
import type { SocketTransport, SocketTransportOptions } from '../socket-transport.ts';
import type {
  AcceptHandler,
  ConnectOptions,
  Connection,
  ConnectionHandler,
  ListenOptions,
  Listener,
  TcpAddress,
  TransportAddress,
  TransportError,
} from '../transport.ts';
import { ErrorNumber, openKernel } from './kernel.ts';
import { adoptListeningSocket, openListeningSocket, refusedCall } from './listening-socket.ts';
import { Poller } from './poller.ts';
import { type Engine, SysConnection } from './sys-connection.ts';
import { SysListener } from './sys-listener.ts';

const unknownAddress: TcpAddress = { host: '', port: 0 };

let opened: Engine | string | null = null;

/** This thread's engine, or in half a sentence why it has none. */
export function openEngine(): Engine | string {
  opened ??= open();
  return opened;
}

function open(): Engine | string {
  const kernel = openKernel();
  if (typeof kernel === 'string') return kernel;
  const poller = Poller.open(kernel);
  if (typeof poller === 'string') return poller;
  return { kernel, poller, sharedAddress: kernel.addressOf(readBuffers.shared) };
}

export class SysTransport implements SocketTransport {
  readonly engine = 'sys';
  readonly ownAddress: string;
  private readonly shared: Engine;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly node: NodeTransport;
  private readonly sockets: SocketSource;
  /** What the listeners were asked to listen on. */
  private readonly listeners = new Map<SysListener, string>();

  constructor(engine: Engine, clock: Clock, logger: Logger, options: SocketTransportOptions = {}) {
    this.shared = engine;
    this.clock = clock;
    this.logger = logger;
    const duplicate = (descriptor: number): number => engine.kernel.duplicate(descriptor);
    this.node = new NodeTransport(clock, logger, { ...options, duplicate });
    this.sockets = options.sockets ?? ownSockets;
    this.ownAddress = this.node.ownAddress;
  }

  async listen(options: ListenOptions, accept: AcceptHandler): Promise<Listener> {
    const { address } = options;
    if (options.security !== null || !isNumeric(address)) return await this.node.listen(options, accept);
    const plan = await this.sockets.prepare(address);
    if (!plan.listens) return { address, close: () => Promise.resolve() };
    const { shared: engine, clock, logger } = this;
    const { kernel } = engine;
    const isTransparent = options.isTransparent === true;
    const descriptors: number[] = [];
    try {
      if (plan.descriptors.length === 0)
        descriptors.push(openListeningSocket(kernel, address, plan, isTransparent));
      for (const descriptor of plan.descriptors)
        descriptors.push(adoptListeningSocket(kernel, descriptor, plan.sharesPort));
    } catch (error) {
      this.sockets.onClosed(address, -1);
      throw error;
    }
    const port = kernel.localAddress(descriptors[0]!)?.port ?? address.port;
    const bound = { host: address.host, port };
    const local = isTransparent || isWildcard(address.host) ? null : bound;
    const listeners = descriptors.map(
      (descriptor) => new SysListener(descriptor, { engine, clock, logger, local, accept }),
    );
    if (!listeners.every((listener) => listener.start())) {
      const error = refusedCall(kernel, address, 'epoll_ctl');
      for (const listener of listeners) listener.close();
      this.sockets.onClosed(address, -1);
      throw error;
    }
    for (const listener of listeners) this.listeners.set(listener, describeAddress(address));
    // Threads share a port, and have a socket of their own each.
    this.sockets.onBound(address, port, () => null);
    return {
      address: bound,
      close: () => {
        for (const listener of listeners) {
          listener.close();
          this.listeners.delete(listener);
        }
        this.sockets.onClosed(address, port);
        return Promise.resolve();
      },
    };
  }

  openSockets(): OpenSocket[] {
    const own = [...this.listeners].map(([{ descriptor }, address]) => ({ address, descriptor }));
    return [...own, ...this.node.openSockets()];
  }

  handOver(): void {
    this.node.handOver();
  }

  connect(options: ConnectOptions, handler: ConnectionHandler): Connection {
    const { address } = options;
    return options.security === null && isNumeric(address)
      ? this.connectTo(address, options, handler)
      : this.node.connect(options, handler);
  }

  secure(
    connection: Connection,
    received: Buffer,
    security: LinkSecurity,
    accept: AcceptHandler,
    onFailed: () => void,
  ): void {
    this.node.secure(connection, received, security, accept, onFailed);
  }

  private connectTo(address: TcpAddress, options: ConnectOptions, handler: ConnectionHandler): Connection {
    const { shared: engine, logger } = this;
    const fd = this.startConnecting(address, options);
    const isStarted = typeof fd === 'number';
    const connection = new SysConnection(engine, logger, isStarted ? fd : -1, address, unknownAddress, false);
    connection.setHandler(handler);
    if (!isStarted) connection.fail(fd);
    if (!isStarted || !connection.watch()) return connection;
    connection.limitConnecting(this.clock.setTimer(options.timeoutMs, () => connection.timeOut()));
    const { preface = null } = options;
    if (preface !== null) connection.write(preface, 0, preface.length);
    return connection;
  }

  /** A socket on its way to `address`, or why there is none. */
  private startConnecting(
    address: TcpAddress,
    { source = null, keepAliveMs = null }: ConnectOptions,
  ): number | TransportError {
    const { kernel } = this.shared;
    const fd = source === null ? kernel.openSocket(isIpv6Address(address.host)) : openSourceSocket(source);
    if (typeof fd === 'string') return { kind: 'connect-failed', detail: fd };
    if (fd < 0) return networkError(kernel.errorName, kernel.errorName);
    kernel.setNoDelay(fd);
    if (keepAliveMs !== null) kernel.setKeepAlive(fd, Math.floor(keepAliveMs / 1000));
    if (kernel.connect(fd, address) >= 0 || kernel.errorNumber === ErrorNumber.EINPROGRESS) return fd;
    const error = networkError(kernel.errorName, kernel.errorName);
    kernel.close(fd);
    return error;
  }
}

/** An address that nothing has to be asked about: neither a name nor a link-local one with its interface. */
function isNumeric(address: TransportAddress): address is TcpAddress {
  return !isUnixAddress(address) && isIP(address.host) !== 0 && !address.host.includes('%');
}

function isWildcard(host: string): boolean {
  return /^[0.:]+$/.test(host);
}
