import { type Server as HttpServer, createServer as createHttpServer } from 'node:http';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import {
  type SecureContextOptions,
  type Server as TlsServer,
  createServer as createTlsServer,
} from 'node:tls';
import { type Clock, type HeddleError, type Logger, type Result, ok, systemErrorCode } from '@heddle/base';
import { ConnectionGate, type WorkloadCertificate } from '@heddle/identity';
import { failure } from './ca-error.ts';
import type { CertificateAuthority } from './certificate-authority.ts';
import type { ControlPlaneIdentity } from './control-plane-identity.ts';
import type { Enrolment } from './enrolment.ts';
import { handlePlain, handleSecure } from './join-handlers.ts';

/** What those who have not made a request yet may hold. */
export interface JoinLimits {
  /** Until the first byte. */
  readonly firstByteMs: number;
  /** From the first byte until the request has come whole, the TLS handshake included. */
  readonly requestMs: number;
  /** Connections without a first byte; as many again with one, but without a whole request. */
  readonly maxPending: number;
  /** How many of each may come from one remote address. */
  readonly maxPendingPerAddress: number;
}

export interface JoinServerOptions {
  readonly host: string;
  readonly port: number;
  readonly authority: CertificateAuthority;
  readonly identity: ControlPlaneIdentity;
  readonly enrolment: Enrolment;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `defaultJoinLimits` where absent. */
  readonly limits?: Partial<JoinLimits>;
}

/** The first byte of a TLS record that holds a handshake (RFC 8446 §5.1); no HTTP method starts with it. */
const tlsHandshake = 0x16;
/** How long a connection may live in all. Node's own request timeouts run only in servers that listen themselves. */
const connectionLimitMs = 20_000;
/** Joining is rare and short: more at once is somebody's attack. One host may well start a hundred sidecars together. */
const defaultJoinLimits: JoinLimits = {
  firstByteMs: 3000,
  requestMs: 10_000,
  maxPending: 512,
  maxPendingPerAddress: 128,
};

function tlsMaterial(certificate: WorkloadCertificate): SecureContextOptions {
  return { cert: certificate.certificateChain, key: certificate.privateKey, minVersion: 'TLSv1.3' };
}

/** One request for each connection. */
function limited(server: HttpServer): HttpServer {
  server.keepAliveTimeout = 1;
  server.maxRequestsPerSocket = 1;
  return server;
}

/**
 * The listener for those who want to join: one port that serves the root certificate in the open and, over TLS, trades
 * tokens for certificates.
 */
export class JoinServer {
  private readonly listener: Server;
  private readonly plain: HttpServer;
  private readonly secure: HttpServer;
  private readonly tls: TlsServer;
  private readonly clock: Clock;
  private readonly sockets = new Set<Socket>();
  /** Connections that have sent nothing: apart, so that however many there are, they cost no other its place. */
  private readonly silent: ConnectionGate;
  /** Connections that have begun to send their request. */
  private readonly asking: ConnectionGate;
  private readonly stopListening: () => void;

  private constructor(options: JoinServerOptions) {
    const { authority, enrolment, identity, logger } = options;
    this.clock = options.clock;
    const { firstByteMs, requestMs, ...caps } = { ...defaultJoinLimits, ...options.limits };
    this.silent = new ConnectionGate({ ...caps, clock: options.clock, limitMs: firstByteMs });
    this.asking = new ConnectionGate({ ...caps, clock: options.clock, limitMs: requestMs });
    this.plain = limited(
      createHttpServer((request, response) => handlePlain(request, response, authority.bundle)),
    );
    this.secure = limited(
      createHttpServer((request, response) => void handleSecure(request, response, enrolment, logger)),
    );
    for (const server of [this.plain, this.secure]) {
      server.on('request', (request) => request.once('end', () => this.asking.release(request.socket)));
    }
    this.tls = createTlsServer(tlsMaterial(identity.certificate));
    this.tls.on('secureConnection', (socket) => this.secure.emit('connection', socket));
    // Failed handshakes and malformed requests are the clients' affair; Node has closed the connection already.
    this.tls.on('tlsClientError', (_error, socket) => socket.destroy());
    // Connections that are open keep the context that they began with.
    this.stopListening = identity.onChange(() =>
      this.tls.setSecureContext(tlsMaterial(identity.certificate)),
    );
    this.listener = createServer((socket) => this.accept(socket));
  }

  /** Binds the port and serves. */
  static async open(options: JoinServerOptions): Promise<Result<JoinServer, HeddleError>> {
    const server = new JoinServer(options);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    server.listener.once('error', resolve);
    server.listener.listen(options.port, options.host, () => resolve(null));
    const error = await promise;
    if (error === null) return ok(server);
    server.stopListening();
    const place = `${options.host}:${options.port}`;
    if (systemErrorCode(error) === 'EADDRINUSE') {
      return failure(
        'HEDDLE_PORT_IN_USE',
        `The join listener's address ${place} is in use by another program.`,
        error,
      );
    }
    const reason = systemErrorCode(error);
    return failure('HEDDLE_LISTEN_FAILED', `The join listener cannot bind ${place}: ${reason}.`, error);
  }

  /** The address in force: the port chosen by the system where 0 was asked for. */
  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.listener.address() as AddressInfo;
    return { host: address, port };
  }

  /** Accepts no more and drops what is open. Resolves when the port is free. */
  async close(): Promise<void> {
    this.stopListening();
    if (!this.listener.listening) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.listener.close(() => resolve());
    for (const socket of this.sockets) socket.destroy();
    await promise;
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket);
    this.silent.admit(socket);
    const timer = this.clock.setTimer(connectionLimitMs, () => socket.destroy());
    socket.once('close', () => {
      timer.cancel();
      this.sockets.delete(socket);
    });
    // A client that goes away is no news.
    socket.on('error', () => socket.destroy());
    const firstByte = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) {
        socket.once('readable', firstByte);
        return;
      }
      this.silent.release(socket);
      this.asking.admit(socket);
      socket.unshift(chunk);
      const server = chunk[0] === tlsHandshake ? this.tls : this.plain;
      server.emit('connection', socket);
    };
    socket.once('readable', firstByte);
  }
}
