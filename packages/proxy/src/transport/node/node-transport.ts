// The engine over `node:net` and `node:tls`: serves everywhere, and TLS, Unix sockets and names for the other one.
import { randomBytes } from 'node:crypto';
import {
  type AddressInfo,
  type Server,
  Socket,
  connect as connectSocket,
  createServer as createSocketServer,
} from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type Clock, type Logger, invariant } from '@heddle/base';
import { handshakeError } from '@heddle/identity';
import type { LinkSecurity } from '../../tls/link-security.ts';
import { describeAddress, isUnixAddress } from '../address.ts';
import type {
  AcceptHandler,
  ConnectOptions,
  Connection,
  ConnectionHandler,
  ListenOptions,
  Listener,
  TransportAddress,
  TransportError,
} from '../transport.ts';
import { adoptSocket, bind, unbind } from './bind.ts';
import { connectFrom } from './connect-from.ts';
import { ClientSessions } from './client-sessions.ts';
import { type Addresses, NodeConnection, readOptions } from './node-connection.ts';
import { ClientContexts, linkSecretsOf } from './secure-contexts.ts';
import { writesWithoutRequest } from './stream-handle.ts';
import { ownAddress } from './own-address.ts';
import { isPlainSocket } from '../plain-socket.ts';
import { type OpenSocket, ownSockets, type SocketSource } from '../socket-source.ts';
import type { SocketTransport, SocketTransportOptions } from '../socket-transport.ts';
import { TlsAcceptor } from './tls-acceptor.ts';
import { countFailure } from './tls-failure.ts';
import { readDirectly } from './tls-reads.ts';
import { TlsRefusal } from './tls-refusal.ts';
import { type VerifiedLink, alertOfCode, verifyLink } from './verify-link.ts';

const defaultHandshakeTimeoutMs = 10_000;
const noSecrets: TransportError = Object.freeze({
  kind: 'tls-failed',
  detail: 'no certificate or no trust bundle yet',
});

export interface NodeTransportOptions extends SocketTransportOptions {
  /** Plain bytes go to the handle below the socket; default where this version of Node allows it. */
  readonly writesDirectly?: boolean;
  /** Opens a descriptor once more, negative where it can't; absent where no system calls can be made. */
  readonly duplicate?: (descriptor: number) => number;
}

export class NodeTransport implements SocketTransport {
  readonly engine = 'node';
  readonly ownAddress = ownAddress();
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly handshakeTimeoutMs: number;
  private readonly ticketSecret: Buffer;
  private readonly writesDirectly: boolean;
  private readonly sessions = new ClientSessions();
  private readonly contexts = new ClientContexts();
  private readonly sockets: SocketSource;
  private readonly duplicate: NodeTransportOptions['duplicate'];
  /** By server, the address that it was asked to listen on. */
  private readonly servers = new Map<Server, string>();
  private isHandedOver = false;
  private readonly acceptors = new WeakMap<LinkSecurity, TlsAcceptor>();

  constructor(clock: Clock, logger: Logger, options: NodeTransportOptions = {}) {
    this.clock = clock;
    this.logger = logger;
    this.handshakeTimeoutMs = options.handshakeTimeoutMs ?? defaultHandshakeTimeoutMs;
    this.ticketSecret = options.ticketSecret ?? randomBytes(32);
    this.sockets = options.sockets ?? ownSockets;
    this.duplicate = options.duplicate;
    this.writesDirectly = options.writesDirectly ?? writesWithoutRequest;
  }

  async listen(options: ListenOptions, accept: AcceptHandler): Promise<Listener> {
    const { address, security } = options;
    const plan = await this.sockets.prepare(address);
    if (!plan.listens) return { address, close: () => Promise.resolve() };
    const addresses = isUnixAddress(address) ? unixAddresses(address.path, '') : null;
    const open = (): Server =>
      security === null
        ? this.plainServer(addresses, accept)
        : this.secureServer(security, addresses, accept);
    const servers: Server[] = [];
    try {
      if (plan.descriptors.length === 0) {
        servers.push(open());
        await bind(servers[0]!, address, plan, options.isTransparent === true);
      }
      for (const descriptor of plan.descriptors) {
        const server = open();
        servers.push(server);
        await adoptSocket(server, descriptor);
      }
    } catch (error) {
      for (const server of servers) server.close();
      this.sockets.onClosed(address, -1);
      throw error;
    }
    const bound = boundAddress(servers[0]!, address);
    const port = isUnixAddress(bound) ? 0 : bound.port;
    const key = describeAddress(address);
    for (const server of servers) this.servers.set(server, key);
    this.sockets.onBound(address, port, () => this.duplicateOf(servers[0]!));
    return {
      address: bound,
      close: async () => {
        for (const server of servers) {
          // The port is free at once, though a server is closed only once its connections are.
          server.close();
          this.servers.delete(server);
        }
        this.sockets.onClosed(address, port);
        if (!this.isHandedOver && plan.removesFile) await unbind(address);
      },
    };
  }

  openSockets(): OpenSocket[] {
    return [...this.servers].map(([server, address]) => {
      const handle = handleOfServer(server);
      return { address, descriptor: handle?.fd ?? -1, handle };
    });
  }

  private duplicateOf(server: Server): number | null {
    const descriptor = handleOfServer(server)?.fd ?? -1;
    const copy = descriptor < 0 ? -1 : (this.duplicate?.(descriptor) ?? -1);
    return copy < 0 ? null : copy;
  }

  handOver(): void {
    this.isHandedOver = true;
  }

  connect(options: ConnectOptions, handler: ConnectionHandler): Connection {
    return options.security === null
      ? this.connectPlain(options, handler)
      : this.connectSecure(options, options.security, handler);
  }

  secure(
    connection: Connection,
    received: Buffer,
    security: LinkSecurity,
    accept: AcceptHandler,
    onFailed: () => void,
  ): void {
    invariant(isPlainSocket(connection), 'a plain connection over a socket is secured');
    const reader = this.acceptorOf(security).begin(connection, accept, onFailed);
    connection.setHandler(reader);
    if (received.length > 0) reader.onData(received, 0, received.length);
  }

  private plainServer(addresses: Addresses | null, accept: AcceptHandler): Server {
    return createSocketServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (accepted) => {
      const socket = adopt(accepted);
      const connection = new NodeConnection(socket, this.logger);
      connection.establish(null, addresses);
      if (this.writesDirectly) connection.writeDirectly();
      connection.begin(accept);
      // The owner may have paused it already.
      if (!socket.isPaused()) socket.resume();
    });
  }

  private secureServer(
    security: LinkSecurity | (() => LinkSecurity),
    addresses: Addresses | null,
    accept: AcceptHandler,
  ): Server {
    const current = typeof security === 'function' ? security : (): LinkSecurity => security;
    return this.plainServer(addresses, (connection) => {
      const timer = this.clock.setTimer(this.handshakeTimeoutMs, () => {
        this.logger.debug('TLS failed', { peer: connection.remoteAddress, reason: 'timeout' });
        connection.destroy();
      });
      const acceptSecured: AcceptHandler = (secured) => {
        timer.cancel();
        return accept(secured);
      };
      invariant(isPlainSocket(connection), 'the connections of our own server are');
      return this.acceptorOf(current()).begin(connection, acceptSecured, () => timer.cancel());
    });
  }

  private acceptorOf(security: LinkSecurity): TlsAcceptor {
    let acceptor = this.acceptors.get(security);
    if (acceptor === undefined) {
      const { clock, logger, ticketSecret, writesDirectly } = this;
      acceptor = new TlsAcceptor(security, { clock, logger, ticketSecret, writesDirectly });
      this.acceptors.set(security, acceptor);
    }
    return acceptor;
  }

  private connectPlain(options: ConnectOptions, handler: ConnectionHandler): Connection {
    const socketOptions = {
      noDelay: true,
      allowHalfOpen: true,
      onread: readOptions,
    };
    const { address, source = null } = options;
    const socket =
      source === null
        ? connectSocket({ ...destinationOf(address), ...socketOptions })
        : connectFrom(source, address, socketOptions);
    if (typeof socket === 'string')
      return failedConnection({ kind: 'connect-failed', detail: socket }, handler, this.clock);
    const connection = new NodeConnection(socket, this.logger);
    this.superviseConnect(connection, socket, 'connect', options, handler, () => null);
    return connection;
  }

  private connectSecure(
    options: ConnectOptions,
    security: LinkSecurity,
    handler: ConnectionHandler,
  ): Connection {
    const secrets = linkSecretsOf(security);
    if (secrets === null) return failedConnection(noSecrets, handler, this.clock);
    const raw = rawSocketFor(options);
    if (typeof raw === 'string')
      return failedConnection({ kind: 'connect-failed', detail: raw }, handler, this.clock);
    const sessionKey = `${describeAddress(options.address)} ${secrets.version}`;
    const resumed = this.sessions.take(security, sessionKey);
    // `allowHalfOpen` is documented for `tls.connect`, but missing in its type.
    const tlsOptions: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
      ...(raw === null ? destinationOf(options.address) : { socket: raw }),
      secureContext: this.contexts.get(security, secrets),
      ...(security.alpn.length === 0 ? {} : { ALPNProtocols: [...security.alpn] }),
      ...(security.serverName === '' ? {} : { servername: security.serverName }),
      ...(resumed === null ? {} : { session: resumed.session }),
      // Names are checked after every handshake, resumed ones included, where Node skips this call.
      checkServerIdentity: () => undefined,
      allowHalfOpen: true,
    };
    const socket = connectTls(tlsOptions);
    socket.setNoDelay(true);
    const refusal = new TlsRefusal(socket, false);
    // Node drops a connection whose certificate OpenSSL refuses before it tells anybody.
    socket.prependOnceListener('secure', () => {
      const fault = handshakeError(socket);
      if (fault !== null) refusal.alert(alertOfCode(fault));
    });
    if (security.observer !== null) {
      socket.on('error', (error: Error) => countFailure(security.observer, error));
    }
    const connection = new NodeConnection(socket, this.logger);
    let link: VerifiedLink | null = null;
    this.superviseConnect(connection, socket, 'secureConnect', options, handler, () => {
      const remembered = socket.isSessionReused() ? resumed?.chain : undefined;
      const verified = verifyLink(socket, security, secrets, 'server', this.clock, this.logger, remembered);
      if (verified.ok) {
        refusal.cancel();
        link = verified.value;
        readDirectly(socket, connection);
      } else {
        refusal.alert(verified.error);
        connection.fail({ kind: 'tls-failed', detail: "the peer's certificate was refused" });
      }
      return link;
    });
    if (security.maxSessions > 0) {
      socket.on('session', (session: Buffer) => {
        if (link !== null) this.sessions.put(security, sessionKey, { session, chain: link.chain });
      });
    }
    return connection;
  }

  /** Bounds the time to connect and tells the owner only once the peer is verified. */
  private superviseConnect(
    connection: NodeConnection,
    socket: Socket,
    established: 'connect' | 'secureConnect',
    options: ConnectOptions,
    handler: ConnectionHandler,
    verify: () => VerifiedLink | null,
  ): void {
    const timer = this.clock.setTimer(options.timeoutMs, () => connection.timeOut());
    socket.once('close', () => timer.cancel());
    socket.once(established, () => {
      timer.cancel();
      const link = verify();
      if (link === null && options.security !== null) return;
      const { address, keepAliveMs = null, preface = null } = options;
      if (keepAliveMs !== null) socket.setKeepAlive(true, keepAliveMs);
      connection.establish(link, isUnixAddress(address) ? unixAddresses('', address.path) : null);
      if (this.writesDirectly) connection.writeDirectly();
      if (options.security === null && preface !== null) connection.write(preface, 0, preface.length);
      connection.onConnect();
    });
    connection.handler = handler;
    // Without this a socket that reads into a given buffer never reports the peer's end.
    socket.resume();
  }
}

/** What TLS is to run over; null where it may connect by itself, and what went wrong where it can't be made. */
function rawSocketFor({ address, source = null, preface = null }: ConnectOptions): Socket | string | null {
  if (source === null && preface === null) return null;
  const socketOptions = { allowHalfOpen: true };
  const raw =
    source === null
      ? connectSocket({ ...destinationOf(address), ...socketOptions })
      : connectFrom(source, address, socketOptions);
  // Waits for the connection, as the ClientHello does behind it.
  if (typeof raw !== 'string' && preface !== null) raw.write(preface);
  return raw;
}

function unixAddresses(localAddress: string, remoteAddress: string): Addresses {
  return {
    localAddress,
    localPort: 0,
    remoteAddress,
    remotePort: 0,
    originalDestination: null,
    upstreamSource: null,
    inspectedServerName: '',
    directRemoteAddress: remoteAddress,
    directRemotePort: 0,
  };
}

/** Node's handle of a listening server, which knows its descriptor and is told to nobody else. */
function handleOfServer(server: Server): { readonly fd: number } | null {
  return (server as unknown as { readonly _handle: { readonly fd: number } | null })._handle;
}

/** The address in force: the port chosen by the system where 0 was asked for. */
function boundAddress(server: Server, asked: TransportAddress): TransportAddress {
  if (isUnixAddress(asked) || asked.port !== 0) return asked;
  // A server on TCP has an address and a port.
  return { host: asked.host, port: (server.address() as AddressInfo).port };
}

/** Where to, as Node's options say it. */
function destinationOf(
  address: TransportAddress,
): { readonly path: string } | { readonly host: string; readonly port: number } {
  return isUnixAddress(address) ? { path: address.path } : { host: address.host, port: address.port };
}

/**
 * Takes an accepted socket's handle over into one that reads into buffers of ours, which Node offers clients only. (Works
 * alike from Node 18 to 26.)
 */
function adopt(accepted: Socket): Socket {
  const holder = accepted as unknown as { _handle: unknown };
  const handle = holder._handle;
  holder._handle = null;
  const socket = new Socket({
    handle,
    onread: readOptions,
    allowHalfOpen: true,
  } as unknown as ConstructorParameters<typeof Socket>[0]);
  accepted.destroy();
  return socket;
}

/** A connection that never comes to be, for a reason on this side. */
function failedConnection(error: TransportError, handler: ConnectionHandler, clock: Clock): Connection {
  clock.setTimer(0, () => handler.onClose(error));
  return {
    write: () => false,
    writeLatin1: () => false,
    writeHeadAndBody: () => false,
    end: () => undefined,
    destroy: () => undefined,
    reset: () => undefined,
    pauseReading: () => undefined,
    resumeReading: () => undefined,
    peerIdentity: '',
    peerFingerprint: '',
    tls: null,
    remoteAddress: '',
    remotePort: 0,
    localAddress: '',
    localPort: 0,
    originalDestination: null,
    directRemoteAddress: '',
    directRemotePort: 0,
    overrideAddresses: () => undefined,
    upstreamSource: null,
    inspectedServerName: '',
    setHandler: () => undefined,
    fileDescriptor: -1,
  };
}
