// The engine over `node:net` and `node:tls`: the default, and the only one that touches sockets.
import {
  type AddressInfo,
  type Server,
  Socket,
  connect as connectTcp,
  createServer as createTcpServer,
} from 'node:net';
import {
  type ConnectionOptions,
  type TLSSocket,
  type Server as TlsServer,
  connect as connectTls,
  createServer as createTlsServer,
} from 'node:tls';
import { type Clock, HeddleError, type Logger, systemErrorCode, errorMessage } from '@heddle/base';
import { type PeerRole, certificateSha256, trustBundles, verifyPeer } from '@heddle/identity';
import type { LinkSecurity } from '../../tls/link-security.ts';
import type {
  AcceptHandler,
  ConnectOptions,
  Connection,
  ConnectionHandler,
  ListenOptions,
  Listener,
  Transport,
  TransportAddress,
} from '../transport.ts';
import { NodeConnection, type VerifiedPeer } from './node-connection.ts';
import { ClientContexts, type LinkSecrets, linkSecretsOf, secureOptions } from './secure-contexts.ts';

/**
 * One buffer for the reads of all plain sockets: reads are synchronous and end with their callback, so that nobody sees
 * another connection's bytes, and 10,000 idle connections own no read buffer.
 */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);
const defaultHandshakeTimeoutMs = 10_000;
const backlog = 1024;

/** A socket that reads into the shared buffer. `handle` adopts an accepted one (works alike from Node 18 to 26). */
type OnRead = { readonly buffer: Buffer; readonly callback: (length: number, buffer: Buffer) => boolean };

export class NodeTransport implements Transport {
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly handshakeTimeoutMs: number;
  private readonly contexts = new ClientContexts();

  /** `handshakeTimeoutMs`: how long an accepted connection's TLS handshake may take. */
  constructor(clock: Clock, logger: Logger, handshakeTimeoutMs = defaultHandshakeTimeoutMs) {
    this.clock = clock;
    this.logger = logger;
    this.handshakeTimeoutMs = handshakeTimeoutMs;
  }

  async listen(options: ListenOptions, accept: AcceptHandler): Promise<Listener> {
    const server =
      options.security === null ? this.plainServer(accept) : this.secureServer(options.security, accept);
    const { host, port } = options.address;
    await bind(server, options.address);
    const bound = server.address() as AddressInfo;
    return {
      address: { host, port: port === 0 ? bound.port : port },
      close: () =>
        new Promise((resolve) => {
          server.close();
          // `close` of a server waits for its connections, but the port is free at once.
          resolve();
        }),
    };
  }

  connect(options: ConnectOptions, handler: ConnectionHandler): Connection {
    return options.security === null
      ? this.connectPlain(options, handler)
      : this.connectSecure(options, options.security, handler);
  }

  private plainServer(accept: AcceptHandler): Server {
    return createTcpServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (accepted) => {
      let connection: NodeConnection | null = null;
      const onread: OnRead = {
        buffer: readBuffer,
        callback: (length, buffer) => {
          connection?.deliver(buffer, length);
          return true;
        },
      };
      const socket = adopt(accepted, onread);
      connection = new NodeConnection(socket, this.logger);
      connection.establish(null);
      connection.handler = accept(connection);
      socket.resume();
    });
  }

  private secureServer(security: LinkSecurity, accept: AcceptHandler): Server {
    const tlsServer: TlsServer = createTlsServer(
      {
        allowHalfOpen: true,
        requestCert: true,
        rejectUnauthorized: true,
        handshakeTimeout: this.handshakeTimeoutMs,
        ALPNProtocols: [...security.alpn],
        minVersion: 'TLSv1.3',
      },
      (socket) => this.acceptSecure(socket, security, accept),
    );
    tlsServer.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.logger.debug('TLS handshake failed', {
        peer: socket.remoteAddress,
        reason: systemErrorCode(error) || error.message,
      });
      // Node closes the connection of a handshake that fails, but not of one that takes too long.
      socket.destroy();
    });
    let version = '';
    return createTcpServer({ allowHalfOpen: true, noDelay: true }, (raw) => {
      const secrets = linkSecretsOf(security);
      if (secrets === null) {
        // No identity or no trust yet: authorization fails closed.
        raw.destroy();
        return;
      }
      if (secrets.version !== version) {
        // Live connections keep the context they were made with; old session tickets are void with the old context.
        tlsServer.setSecureContext(secureOptions(secrets));
        version = secrets.version;
      }
      raw.on('error', ignoreError);
      tlsServer.emit('connection', raw);
    });
  }

  private acceptSecure(socket: TLSSocket, security: LinkSecurity, accept: AcceptHandler): void {
    const secrets = linkSecretsOf(security);
    const peer = secrets === null ? null : this.verify(socket, security, secrets, 'client');
    if (peer === null) {
      socket.on('error', ignoreError);
      socket.destroy();
      return;
    }
    const connection = new NodeConnection(socket, this.logger);
    connection.establish(peer);
    connection.handler = accept(connection);
    socket.on('data', (chunk: Buffer) => connection.deliver(chunk, chunk.length));
  }

  private connectPlain(options: ConnectOptions, handler: ConnectionHandler): Connection {
    let connection: NodeConnection | null = null;
    const socket = connectTcp({
      host: options.address.host,
      port: options.address.port,
      noDelay: true,
      allowHalfOpen: true,
      onread: {
        buffer: readBuffer,
        callback: (length: number, buffer: Uint8Array) => {
          connection?.deliver(buffer as Buffer, length);
          return true;
        },
      },
    });
    connection = new NodeConnection(socket, this.logger);
    this.superviseConnect(connection, socket, 'connect', options, handler, () => null);
    return connection;
  }

  private connectSecure(
    options: ConnectOptions,
    security: LinkSecurity,
    handler: ConnectionHandler,
  ): Connection {
    const secrets = linkSecretsOf(security);
    if (secrets === null)
      return failedConnection('no certificate or no trust bundle yet', handler, this.clock);
    // `allowHalfOpen` is documented for `tls.connect`, but missing in its type.
    const tlsOptions: ConnectionOptions & { readonly allowHalfOpen: boolean } = {
      host: options.address.host,
      port: options.address.port,
      secureContext: this.contexts.get(secrets),
      ALPNProtocols: [...security.alpn],
      ...(security.serverName === '' ? {} : { servername: security.serverName }),
      // Names are SPIFFE ids here, checked after every handshake, resumed ones included, where Node skips this call.
      checkServerIdentity: () => undefined,
      allowHalfOpen: true,
    };
    const socket = connectTls(tlsOptions);
    socket.setNoDelay(true);
    const connection = new NodeConnection(socket, this.logger);
    this.superviseConnect(connection, socket, 'secureConnect', options, handler, () => {
      const peer = this.verify(socket, security, secrets, 'server');
      if (peer === null)
        connection.fail({ kind: 'tls-failed', detail: "the peer's certificate was refused" });
      return peer;
    });
    socket.on('data', (chunk: Buffer) => connection.deliver(chunk, chunk.length));
    return connection;
  }

  /** Bounds the time to connect and tells the owner only once the peer is verified. */
  private superviseConnect(
    connection: NodeConnection,
    socket: Socket,
    established: 'connect' | 'secureConnect',
    options: ConnectOptions,
    handler: ConnectionHandler,
    verify: () => VerifiedPeer | null,
  ): void {
    const timer = this.clock.setTimer(options.timeoutMs, () => connection.timeOut());
    socket.once('close', () => timer.cancel());
    socket.once(established, () => {
      timer.cancel();
      const peer = verify();
      if (peer === null && options.security !== null) return;
      connection.establish(peer);
      handler.onConnect();
    });
    connection.handler = handler;
    // Without this a socket that reads into a given buffer never reports the peer's end.
    socket.resume();
  }

  private verify(
    socket: TLSSocket,
    security: LinkSecurity,
    secrets: LinkSecrets,
    role: PeerRole,
  ): VerifiedPeer | null {
    const result = verifyPeer(socket, trustBundles(secrets.trustBundle), role, this.clock);
    if (!result.ok) {
      this.logger.warn('peer refused', {
        peer: socket.remoteAddress,
        fault: result.error.fault,
        detail: result.error.detail,
      });
      return null;
    }
    const { id, chain } = result.value;
    if (security.acceptPeer !== null && !security.acceptPeer(id)) {
      this.logger.warn('peer refused', {
        peer: socket.remoteAddress,
        fault: 'unexpected-identity',
        detail: `${id} is not who was asked for`,
      });
      return null;
    }
    return { identity: id, fingerprint: certificateSha256(chain[0]!).toString('hex') };
  }
}

function ignoreError(): void {
  // 'close' follows; there is nobody to tell.
}

/** Takes an accepted socket's handle over into one that reads into the shared buffer, which Node offers clients only. */
function adopt(accepted: Socket, onread: OnRead): Socket {
  const holder = accepted as unknown as { _handle: unknown };
  const handle = holder._handle;
  holder._handle = null;
  const socket = new Socket({ handle, onread, allowHalfOpen: true } as unknown as ConstructorParameters<
    typeof Socket
  >[0]);
  accepted.destroy();
  return socket;
}

function bind(server: Server, address: TransportAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const code = systemErrorCode(error);
      const where = `${address.host}:${address.port}`;
      if (code === 'EADDRINUSE')
        reject(
          new HeddleError(
            'HEDDLE_PORT_IN_USE',
            `another program listens on ${where} already: stop it or choose another port`,
            { cause: error },
          ),
        );
      else
        reject(
          new HeddleError('HEDDLE_LISTEN_FAILED', `can't listen on ${where}: ${errorMessage(error)}`, {
            cause: error,
          }),
        );
    });
    server.listen({ host: address.host, port: address.port, backlog }, () => resolve());
  });
}

/** A connection that never comes to be, because this side has nothing to show or to trust. */
function failedConnection(detail: string, handler: ConnectionHandler, clock: Clock): Connection {
  clock.setTimer(0, () => handler.onClose({ kind: 'tls-failed', detail }));
  return {
    write: () => false,
    writeLatin1: () => false,
    end: () => undefined,
    destroy: () => undefined,
    pauseReading: () => undefined,
    resumeReading: () => undefined,
    peerIdentity: '',
    peerFingerprint: '',
    remoteAddress: '',
    remotePort: 0,
    localAddress: '',
    localPort: 0,
    fileDescriptor: -1,
  };
}
