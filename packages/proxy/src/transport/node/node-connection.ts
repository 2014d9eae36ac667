// Hot path.
import type { Socket } from 'node:net';
import { type Logger, errorMessage, systemErrorCode } from '@heddle/base';
import type { Connection, ConnectionHandler, TcpAddress, TlsSession, TransportError } from '../transport.ts';
import { isTlsCode } from './tls-failure.ts';
import type { VerifiedLink } from './verify-link.ts';

/** Frozen failures: a reset under load makes no garbage. */
const resetError: TransportError = Object.freeze({ kind: 'reset', detail: 'connection reset by peer' });
const timeoutError: TransportError = Object.freeze({ kind: 'connect-timeout', detail: 'connection timeout' });

/** The two ends of a connection where the socket doesn't know them: Unix sockets, and what a plain connection was told. */
export interface Addresses {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly originalDestination: TcpAddress | null;
  readonly directRemoteAddress: string;
  readonly directRemotePort: number;
}

/** One `net.Socket` or `tls.TLSSocket` as a `Connection`. */
export class NodeConnection implements Connection {
  peerIdentity = '';
  peerFingerprint = '';
  tls: TlsSession | null = null;
  remoteAddress = '';
  remotePort = 0;
  localAddress = '';
  localPort = 0;
  originalDestination: TcpAddress | null = null;
  directRemoteAddress = '';
  directRemotePort = 0;
  handler: ConnectionHandler | null = null;
  private readonly socket: Socket;
  private readonly logger: Logger;
  private failure: TransportError | null = null;
  private closed = false;

  constructor(socket: Socket, logger: Logger) {
    this.socket = socket;
    this.logger = logger;
    socket.on('end', () => this.guard(() => this.handler?.onEnd()));
    socket.on('drain', () => this.guard(() => this.handler?.onDrain()));
    socket.on('error', (error: Error) => {
      this.failure ??= describe(error);
    });
    socket.on('close', () => this.onClose());
  }

  get fileDescriptor(): number {
    // Node has no public name for it (18 to 26 call it the same); a TLS socket's handle has none.
    const { _handle } = this.socket as unknown as { _handle: { fd?: number } | null };
    return _handle?.fd ?? -1;
  }

  /** Called once the socket is established and, where it is secured, its peer verified. */
  establish(link: VerifiedLink | null, addresses: Addresses | null): void {
    const { socket } = this;
    this.remoteAddress = addresses?.remoteAddress ?? socket.remoteAddress ?? '';
    this.remotePort = addresses?.remotePort ?? socket.remotePort ?? 0;
    this.localAddress = addresses?.localAddress ?? socket.localAddress ?? '';
    this.localPort = addresses?.localPort ?? socket.localPort ?? 0;
    this.originalDestination = addresses?.originalDestination ?? null;
    this.directRemoteAddress = addresses?.directRemoteAddress ?? this.remoteAddress;
    this.directRemotePort = addresses?.directRemotePort ?? this.remotePort;
    if (link === null) return;
    this.peerIdentity = link.identity;
    this.peerFingerprint = link.session.peer?.fingerprint ?? '';
    this.tls = link.session;
  }

  overrideAddresses(remote: TcpAddress | null, local: TcpAddress | null): void {
    if (remote !== null) {
      this.remoteAddress = remote.host;
      this.remotePort = remote.port;
    }
    if (local === null) return;
    this.localAddress = local.host;
    this.localPort = local.port;
    this.originalDestination = local;
  }

  setHandler(handler: ConnectionHandler): void {
    this.handler = handler;
  }

  /** Gives the socket to a new owner, with `received` as if it had never been read; this connection hears no more. */
  handOver(received: Buffer): Socket {
    this.handler = null;
    this.socket.pause();
    this.socket.unshift(Buffer.from(received));
    return this.socket;
  }

  /** Hands bytes to the owner. */
  deliver(buffer: Buffer, length: number): void {
    try {
      this.handler?.onData(buffer, 0, length);
    } catch (error) {
      this.break(error);
    }
  }

  /** Drops the socket for this reason, which `onClose` reports. */
  fail(failure: TransportError): void {
    this.failure ??= failure;
    this.socket.destroy();
  }

  /** The connection could not be made in time. */
  timeOut(): void {
    this.fail(timeoutError);
  }

  write(buffer: Buffer, start: number, end: number): boolean {
    // A copy, because `buffer` may be the read buffer that all sockets share, and the kernel may take only part of it now.
    return this.socket.write(Buffer.from(buffer.subarray(start, end)));
  }

  writeLatin1(text: string): boolean {
    return this.socket.write(text, 'latin1');
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  pauseReading(): void {
    this.socket.pause();
  }

  resumeReading(): void {
    this.socket.resume();
  }

  private onClose(): void {
    if (this.closed) return;
    this.closed = true;
    this.guard(() => this.handler?.onClose(this.failure));
  }

  private guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.break(error);
    }
  }

  /** A bug of ours costs this connection, never the process. */
  private break(error: unknown): void {
    const stack = error instanceof Error ? (error.stack ?? error.message) : errorMessage(error);
    this.logger.error('internal error, connection dropped', { stack });
    this.socket.destroy();
  }
}

function describe(error: Error): TransportError {
  const code = systemErrorCode(error);
  if (code === 'ECONNRESET' || code === 'EPIPE') return resetError;
  if (code === 'ECONNREFUSED') return { kind: 'connect-failed', detail: 'connection refused' };
  if (code === 'ETIMEDOUT') return timeoutError;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return { kind: 'connect-failed', detail: `name not resolved (${code})` };
  if (isTlsCode(code)) {
    return { kind: 'tls-failed', detail: `TLS handshake failed (${code})` };
  }
  return { kind: 'connect-failed', detail: code === '' ? error.message : code };
}
