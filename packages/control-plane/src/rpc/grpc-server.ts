/** Serves `RpcMethods` by gRPC over mTLS. TLS is ours, so that the peer is checked before gRPC sees a byte. */
import { once } from 'node:events';
import { createServer, type TLSSocket, type Server as TlsServer, type TlsOptions } from 'node:tls';
import { type Clock, type HeddleError, type Logger, type Random, type Timer } from '@heddle/base';
import { ConnectionGate, trustBundles, verifyPeer, type TrustBundle } from '@heddle/identity';
import type { RpcMethods, RpcPeer } from '@heddle/xds';
import { listenError } from '../api/server.ts';
import { hostForUrl } from '../api/loopback.ts';
import { serveConnection } from './grpc-session.ts';

export interface GrpcServerOptions {
  readonly address: string;
  readonly port: number;
  readonly methods: RpcMethods;
  readonly clock: Clock;
  readonly random?: Random;
  readonly logger: Logger;
  /** The certificate to show, in force; asked for again after each call of the listener given to `onIdentityChange`. */
  readonly identity: () => { readonly certificateChain: string; readonly privateKey: string };
  readonly onIdentityChange: (listener: () => void) => () => void;
  /** The roots that clients' certificates must come from, in force. */
  readonly bundle: () => TrustBundle;
  /** How long a TLS handshake may take; 10 s where absent. */
  readonly handshakeTimeoutMs?: number;
  /** How many connections may be in their handshake, before the oldest of them gives way; 1,024 where absent. */
  readonly maxHandshakes?: number;
}

/** The running server. */
export interface GrpcServerHandle {
  /** `host:port` in force. */
  readonly address: string;
  /** Drops all connections; resolves when the port is free. Idempotent. */
  close(): Promise<void>;
}

/** Sidecars that are gone without a word (a machine lost) are noticed within this and the timeout after it. */
const keepaliveMs = 15_000;
const keepaliveTimeoutMs = 5000;
/** Timers of Node hold 31 bits; a longer-lived certificate is looked at again then. */
const maxTimerMs = 2 ** 31 - 1;

/** Binds the port and serves. Rejects with `HEDDLE_PORT_IN_USE` or `HEDDLE_LISTEN_FAILED`. */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServerHandle> {
  const { address, port } = options;
  const connections = new Connections(options);
  const tls = createServer(tlsOptions(options));
  const handshakes = new ConnectionGate({
    clock: options.clock,
    limitMs: options.handshakeTimeoutMs ?? 10_000,
    maxPending: options.maxHandshakes ?? 1024,
  });
  tls.on('connection', (socket) => handshakes.admit(socket));
  tls.on('secureConnection', (socket) => {
    handshakes.release(socket);
    connections.admit(socket);
  });
  // A failed handshake is the client's affair; Node has closed the connection already.
  tls.on('tlsClientError', (error, socket) => {
    options.logger.debug('A TLS handshake failed', {
      remoteAddress: socket.remoteAddress ?? '',
      error: error.message,
    });
    socket.destroy();
  });
  // Connections that are open keep the context that they began with.
  const unwatch = options.onIdentityChange(() => tls.setSecureContext(tlsOptions(options)));
  try {
    tls.listen(port, address);
    await once(tls, 'listening');
  } catch (error) {
    unwatch();
    throw xdsListenError(address, port, error);
  }
  let closed: Promise<void> | undefined;
  return {
    address: `${hostForUrl(address)}:${boundPort(tls, port)}`,
    close: () => {
      closed ??= new Promise((resolve) => {
        unwatch();
        tls.close(() => resolve());
        // Streams that the control plane has just ended are written out first.
        setImmediate(() => {
          handshakes.close();
          connections.close();
        });
      });
      return closed;
    },
  };
}

function xdsListenError(address: string, port: number, error: unknown): HeddleError {
  return listenError('xDS server', address, port, error);
}

function boundPort(server: TlsServer, port: number): number {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : port;
}

function tlsOptions({ identity, bundle }: GrpcServerOptions): TlsOptions {
  const { certificateChain, privateKey } = identity();
  return {
    cert: certificateChain,
    key: privateKey,
    ca: bundle().pem,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    ALPNProtocols: ['h2'],
  };
}

/** Connections whose peer has been verified. */
class Connections {
  private readonly options: GrpcServerOptions;
  /** How to end each. */
  private readonly ends = new Set<() => void>();

  constructor(options: GrpcServerOptions) {
    this.options = options;
  }

  /** Checks who is at the other end, and serves it or drops the connection. */
  admit(socket: TLSSocket): void {
    const { clock, logger, bundle, methods } = this.options;
    const remoteAddress = `${socket.remoteAddress}:${socket.remotePort}`;
    const verified = verifyPeer(socket, trustBundles(bundle()), 'client', clock);
    if (!verified.ok) {
      logger.warn('A client was refused', {
        remoteAddress,
        fault: verified.error.fault,
        detail: verified.error.detail,
      });
      socket.destroy();
      return;
    }
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
      return;
    }
    const { id, notAfterMs } = verified.value;
    const peer: RpcPeer = { identity: id, remoteAddress, certificateNotAfter: notAfterMs };
    const end = serveConnection(socket, peer, { methods, clock, keepaliveMs, keepaliveTimeoutMs });
    this.ends.add(end);
    const expiry = new Expiry(clock, notAfterMs, end);
    socket.once('close', () => {
      expiry.cancel();
      this.ends.delete(end);
    });
  }

  close(): void {
    for (const end of this.ends) end();
  }
}

/** Ends a connection with the certificate that opened it: whoever is still there connects again with a newer one. */
class Expiry {
  private timer: Timer;

  constructor(clock: Clock, atMs: number, onExpired: () => void) {
    const wait = (): Timer => {
      const leftMs = atMs - clock.now();
      return clock.setTimer(Math.max(0, Math.min(leftMs, maxTimerMs)), () => {
        if (clock.now() >= atMs) onExpired();
        else this.timer = wait();
      });
    };
    this.timer = wait();
  }

  cancel(): void {
    this.timer.cancel();
  }
}
