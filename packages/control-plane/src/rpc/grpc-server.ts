/** Serves `RpcMethods` by gRPC over mTLS. TLS is ours, so that the peer is checked before gRPC sees a byte. */
import { once } from 'node:events';
import { createServer, type TLSSocket, type Server as TlsServer, type TlsOptions } from 'node:tls';
import { type Clock, type HeddleError, type Logger, type Random, type Timer } from '@heddle/base';
import {
  Server as GrpcServer,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ConnectionGate, trustBundles, verifyPeer, type TrustBundle } from '@heddle/identity';
import type { RpcMethods, RpcPeer } from '@heddle/xds';
import { listenError } from '../api/server.ts';
import { hostForUrl } from '../api/loopback.ts';
import { streamHandler, unaryHandler } from './grpc-calls.ts';

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
  const peers = new VerifiedPeers(options);
  const grpc = new GrpcServer({
    'grpc.keepalive_time_ms': keepaliveMs,
    'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
  });
  const { definition, implementation } = bind(options.methods, (key) => peers.get(key));
  grpc.addService(definition, implementation);
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const tls = createServer(tlsOptions(options));
  const handshakes = new ConnectionGate({
    clock: options.clock,
    limitMs: options.handshakeTimeoutMs ?? 10_000,
    maxPending: options.maxHandshakes ?? 1024,
  });
  tls.on('connection', (socket) => handshakes.admit(socket));
  tls.on('secureConnection', (socket) => {
    handshakes.release(socket);
    if (peers.admit(socket)) injector.injectConnection(socket);
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
    grpc.forceShutdown();
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
          injector.destroy();
          peers.close();
          grpc.forceShutdown();
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

/** Connections whose peer has been verified, by the name that gRPC gives them. */
class VerifiedPeers {
  private readonly options: GrpcServerOptions;
  private readonly peers = new Map<string, { readonly peer: RpcPeer; readonly socket: TLSSocket }>();

  constructor(options: GrpcServerOptions) {
    this.options = options;
  }

  /** Checks who is at the other end; false where the connection has been dropped. */
  admit(socket: TLSSocket): boolean {
    const { clock, logger, bundle } = this.options;
    const key = `${socket.remoteAddress}:${socket.remotePort}`;
    const peer = verifyPeer(socket, trustBundles(bundle()), 'client', clock);
    if (!peer.ok) {
      logger.warn('A client was refused', {
        remoteAddress: key,
        fault: peer.error.fault,
        detail: peer.error.detail,
      });
      socket.destroy();
      return false;
    }
    if (socket.alpnProtocol !== 'h2') {
      socket.destroy();
      return false;
    }
    const { id, notAfterMs } = peer.value;
    this.peers.set(key, {
      peer: { identity: id, remoteAddress: key, certificateNotAfter: notAfterMs },
      socket,
    });
    const expiry = new Expiry(clock, notAfterMs, () => socket.destroy());
    socket.once('close', () => {
      expiry.cancel();
      this.peers.delete(key);
    });
    return true;
  }

  get(key: string): RpcPeer | undefined {
    return this.peers.get(key)?.peer;
  }

  close(): void {
    for (const { socket } of this.peers.values()) socket.destroy();
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

/** All methods as one gRPC service; messages pass as the bytes they are. */
function bind(
  methods: RpcMethods,
  peerOf: (key: string) => RpcPeer | undefined,
): { definition: ServiceDefinition; implementation: UntypedServiceImplementation } {
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const [path, method] of methods) {
    const isStream = method.kind === 'stream';
    const bytes = {
      requestSerialize: asBuffer,
      requestDeserialize: asBuffer,
      responseSerialize: asBuffer,
      responseDeserialize: asBuffer,
    };
    definition[path] = { path, requestStream: isStream, responseStream: isStream, ...bytes };
    implementation[path] = isStream ? streamHandler(method, peerOf) : unaryHandler(method, peerOf);
  }
  return { definition, implementation };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
