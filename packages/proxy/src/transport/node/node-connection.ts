// Hot path.
import type { OnReadOpts, Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { type Logger, errorMessage, systemErrorCode } from '@heddle/base';
import { latin1 } from '../latin1.ts';
import type {
  AcceptHandler,
  ConnectionHandler,
  ConnectionSource,
  TcpAddress,
  TlsSession,
  TransportError,
} from '../transport.ts';
import { type StreamHandle, handleOf } from './stream-handle.ts';
import { unmapped } from '../ip-address.ts';
import { connectionLost, networkError, timeoutError } from '../network-error.ts';
import type { PlainSocket } from '../plain-socket.ts';
import { ReadBuffer, bulkReadBytes, readBuffers } from '../read-buffers.ts';
import { isTlsCode } from './tls-failure.ts';
import type { VerifiedLink } from './verify-link.ts';

/** The two ends of a connection where the socket doesn't know them: Unix sockets, and what a plain connection was told. */
export interface Addresses {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly originalDestination: TcpAddress | null;
  readonly upstreamSource: ConnectionSource | null;
  readonly inspectedServerName: string;
  readonly directRemoteAddress: string;
  readonly directRemotePort: number;
}

/** Up to here text is encoded on the stack; longer bytes are cheaper to write as bytes. */
const maxTextBytes = 16 * 1024;
/** More than this waiting for a peer holds the writer up: Node's own mark for streams. */
const highWaterBytes = 64 * 1024;

/** The socket's way back to its connection: events and reads need no closures then. */
const owner = Symbol('connection');

interface OwnedSocket extends Socket {
  [owner]: NodeConnection;
}

/** Who has just read: Node asks for the buffer of the next read without saying whose. */
let lastReader: NodeConnection | null = null;

/** What a socket reads into first. */
export function firstReadBuffer(): Buffer {
  return readBuffers.shared;
}

/** Called on a socket with what it has read into a buffer of ours. */
function onRead(this: unknown, length: number, buffer: Uint8Array): boolean {
  const connection = (this as OwnedSocket)[owner];
  connection.deliver(buffer as Buffer, length);
  lastReader = connection;
  return true;
}

/** For sockets that read into `readBuffers`. Node's type doesn't know that null leaves the buffer as it is. */
export const readOptions: OnReadOpts = {
  buffer: (() => {
    const reader = lastReader;
    lastReader = null;
    return reader === null ? readBuffers.shared : reader.nextReadBuffer();
  }) as () => Buffer,
  callback: onRead,
};

/** What `readOptions` calls, for sockets that Node gives no options. */
export const readCallback: (this: unknown, length: number, buffer: Uint8Array) => boolean = onRead;

/** A write that the kernel has not taken whole yet: Node's request, and what we put on it. */
interface WriteRequest {
  /** Called once with 0 or a negative error number. */
  oncomplete: (this: WriteRequest, status: number) => void;
  /** Known already where the write ended while it was being dispatched. */
  readonly writeStatus: number | null | undefined;
  connection: NodeConnection;
  /** What has to stay as it is until then. */
  held: ReadBuffer | Buffer | null;
}

function onWritten(this: WriteRequest, status: number): void {
  this.connection.onWritten(this, status);
}

function onEnd(this: Socket): void {
  (this as OwnedSocket)[owner].onEnd();
}

function onDrain(this: Socket): void {
  (this as OwnedSocket)[owner].onDrain();
}

function onError(this: Socket, error: Error): void {
  (this as OwnedSocket)[owner].onError(error);
}

function onClose(this: Socket): void {
  (this as OwnedSocket)[owner].onClose();
}

/** One `net.Socket` or `tls.TLSSocket` as a `Connection`. */
export class NodeConnection implements PlainSocket {
  peerIdentity = '';
  peerFingerprint = '';
  tls: TlsSession | null = null;
  remoteAddress = '';
  remotePort = 0;
  localAddress = '';
  localPort = 0;
  originalDestination: TcpAddress | null = null;
  upstreamSource: ConnectionSource | null = null;
  inspectedServerName = '';
  directRemoteAddress = '';
  directRemotePort = 0;
  handler: ConnectionHandler | null = null;
  private readonly socket: Socket;
  private readonly logger: Logger;
  /** Writes go to the handle below the socket, once it is established and until it is ended. */
  private writesDirectly = false;
  private writesUnderWay = 0;
  private owesDrain = false;
  /** Where the next read goes; null for the buffer that all share. */
  private readBuffer: ReadBuffer | null = null;
  private readLength = 0;
  private failure: TransportError | null = null;
  private isEstablished = false;
  private closed = false;
  private isPaused = false;
  /** What waits for the write under way where TLS is above the handle, which takes one at a time. */
  private queue: Buffer[] | null = null;
  private queuedBytes = 0;
  /** Whose bytes wait in the queue. */
  private lenders: ReadBuffer[] | null = null;
  private endsWhenWritten = false;
  /** What a paused TLS socket had decrypted already; at most what one read of the network brings. */
  private held: Buffer | null = null;
  /** The peer has ended behind what is held back. */
  private endWaits = false;

  constructor(socket: Socket, logger: Logger) {
    this.socket = socket;
    this.logger = logger;
    (socket as OwnedSocket)[owner] = this;
    socket.on('end', onEnd).on('drain', onDrain).on('error', onError).on('close', onClose);
  }

  get fileDescriptor(): number {
    // A TLS socket's handle has none.
    return handleOf(this.socket)?.fd ?? -1;
  }

  /** Called once the socket is established and, where it is secured, its peer verified. */
  establish(link: VerifiedLink | null, addresses: Addresses | null): void {
    const { socket } = this;
    this.isEstablished = true;
    this.remoteAddress = addresses?.remoteAddress ?? unmapped(socket.remoteAddress ?? '');
    this.remotePort = addresses?.remotePort ?? socket.remotePort ?? 0;
    this.localAddress = addresses?.localAddress ?? unmapped(socket.localAddress ?? '');
    this.localPort = addresses?.localPort ?? socket.localPort ?? 0;
    this.originalDestination = addresses?.originalDestination ?? null;
    this.upstreamSource = addresses?.upstreamSource ?? null;
    this.inspectedServerName = addresses?.inspectedServerName ?? '';
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

  /** Asks for the owner of an accepted connection. */
  begin(accept: AcceptHandler): void {
    try {
      this.handler = accept(this);
    } catch (error) {
      this.break(error);
    }
  }

  /** From here on bytes go to the handle below the socket, be it TCP's or that of TLS. For sockets that are established. */
  writeDirectly(): void {
    this.writesDirectly = this.socket.writableLength === 0;
  }

  handOver(received: Buffer): Socket {
    this.handler = null;
    this.writesDirectly = false;
    this.socket.pause();
    this.socket.unshift(Buffer.from(received));
    return this.socket;
  }

  /** Hands bytes to the owner. */
  deliver(buffer: Buffer, length: number): void {
    if (this.isPaused || this.held !== null) {
      const bytes = buffer.subarray(0, length);
      this.held = this.held === null ? Buffer.from(bytes) : Buffer.concat([this.held, bytes]);
      return;
    }
    this.readLength = length;
    readBuffers.lender = this.readBuffer;
    try {
      this.handler?.onData(buffer, 0, length);
    } catch (error) {
      this.break(error);
    }
    readBuffers.lender = null;
  }

  /** Called after each read of a plain socket: where the next one goes, null for where this one went. */
  nextReadBuffer(): Buffer | null {
    const own = this.readBuffer;
    if (own === null && this.readLength < bulkReadBytes) return null;
    const next = this.closed ? own : readBuffers.next(own, this.readLength);
    if (next === own) return null;
    this.readBuffer = next;
    return next === null ? readBuffers.shared : next.bytes;
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
    const handle = this.writesDirectly ? handleOf(this.socket) : null;
    const { lender } = readBuffers;
    const isLent = lender !== null && lender.bytes === buffer;
    // Else copied, because `buffer` may be reused when this returns, and the kernel may take only part of it now.
    if (handle === null) return this.socket.write(Buffer.from(buffer.subarray(start, end)));
    if (this.tls !== null) {
      const bytes = buffer.subarray(start, end);
      if (this.writesUnderWay > 0)
        return isLent ? this.enqueue(bytes, lender) : this.enqueue(Buffer.from(bytes), null);
      // Encrypted before this returns, or copied by Node.
      return this.written(handle, handle.writeBuffer(null, bytes), null);
    }
    if (isLent) return this.written(handle, handle.writeBuffer(null, buffer.subarray(start, end)), lender);
    if (end - start <= maxTextBytes)
      return this.written(handle, handle.writeLatin1String(null, latin1(buffer, start, end)), null);
    const copy = Buffer.from(buffer.subarray(start, end));
    return this.written(handle, handle.writeBuffer(null, copy), copy);
  }

  writeLatin1(text: string): boolean {
    const handle = this.writesDirectly ? handleOf(this.socket) : null;
    if (handle === null) return this.socket.write(text, 'latin1');
    if (this.tls !== null && this.writesUnderWay > 0) return this.enqueue(Buffer.from(text, 'latin1'), null);
    return this.written(handle, handle.writeLatin1String(null, text), null);
  }

  writeHeadAndBody(text: string, buffer: Buffer, start: number, end: number): boolean {
    return this.writeLatin1(text + latin1(buffer, start, end));
  }

  end(): void {
    // The stream above TLS knows nothing of the write under way: it would close behind it.
    if (this.tls !== null && this.writesUnderWay > 0) {
      this.endsWhenWritten = true;
      return;
    }
    this.writesDirectly = false;
    this.owesDrain = false;
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  reset(): void {
    // Only handles of TCP have it; the stream above a TLS socket's must not be pulled away from under TLS.
    if (this.tls === null && handleOf(this.socket)?.reset !== undefined) this.socket.resetAndDestroy();
    else this.socket.destroy();
  }

  pauseReading(): void {
    this.isPaused = true;
    const handle = this.readsDirectly();
    if (handle === null) this.socket.pause();
    else if (handle.reading) {
      handle.reading = false;
      handle.readStop();
    }
  }

  resumeReading(): void {
    this.isPaused = false;
    if (this.held !== null) {
      process.nextTick(releaseHeld, this);
      return;
    }
    const handle = this.readsDirectly();
    if (handle === null) this.socket.resume();
    else if (!handle.reading) {
      handle.reading = true;
      handle.readStart();
    }
  }

  /** Gives the owner what was held back; the socket goes on once there is nothing more of it. */
  release(): void {
    const { held } = this;
    if (held === null || this.isPaused || this.closed) return;
    this.held = null;
    this.deliver(held, held.length);
    if (this.endWaits) this.onEnd();
    // The owner may have paused it again.
    if (!this.isPaused) this.resumeReading();
  }

  onConnect(): void {
    try {
      this.handler?.onConnect();
    } catch (error) {
      this.break(error);
    }
  }

  onEnd(): void {
    this.endWaits = this.held !== null;
    if (this.endWaits) return;
    try {
      this.handler?.onEnd();
    } catch (error) {
      this.break(error);
    }
  }

  onDrain(): void {
    try {
      this.handler?.onDrain();
    } catch (error) {
      this.break(error);
    }
  }

  onError(error: Error): void {
    this.failure ??= this.describe(systemErrorCode(error), error.message);
    // Node leaves a socket open whose TLS has failed after the handshake.
    this.socket.destroy();
  }

  onClose(): void {
    if (this.closed) return;
    this.closed = true;
    this.writesDirectly = false;
    if (this.readBuffer !== null) readBuffers.release(this.readBuffer);
    this.readBuffer = null;
    this.returnLent();
    try {
      this.handler?.onClose(this.failure);
    } catch (error) {
      this.break(error);
    }
  }

  /** A write that had to wait has ended. */
  onWritten(request: WriteRequest, status: number): void {
    const { held } = request;
    request.held = null;
    if (held instanceof ReadBuffer) readBuffers.release(held);
    this.writesUnderWay--;
    if (this.socket.destroyed) return;
    if (status < 0) {
      this.failWrite(status);
      return;
    }
    if (this.queue !== null) this.writeQueue();
    else if (this.writesUnderWay > 0) return;
    else if (this.endsWhenWritten) {
      this.end();
      return;
    }
    if (!this.owesDrain) return;
    this.owesDrain = false;
    this.onDrain();
  }

  /** Keeps bytes, and the buffer that lends them, until the write under way has ended. False where more than enough waits. */
  private enqueue(bytes: Buffer, lender: ReadBuffer | null): boolean {
    if (lender !== null) {
      lender.users++;
      this.lenders ??= [];
      this.lenders.push(lender);
    }
    if (this.queue === null) this.queue = [bytes];
    else this.queue.push(bytes);
    this.queuedBytes += bytes.length;
    if (this.queuedBytes <= highWaterBytes) return true;
    this.owesDrain = true;
    return false;
  }

  /** Writes what has waited, all at once: full records instead of many small ones. */
  private writeQueue(): void {
    const queue = this.queue!;
    this.queue = null;
    const bytes = queue.length === 1 ? queue[0]! : Buffer.concat(queue, this.queuedBytes);
    this.queuedBytes = 0;
    const handle = handleOf(this.socket);
    if (handle !== null) this.written(handle, handle.writeBuffer(null, bytes), null);
    this.returnLent();
  }

  private returnLent(): void {
    if (this.lenders === null) return;
    for (const lender of this.lenders.splice(0)) readBuffers.release(lender);
  }

  /** Looks at a write's outcome. False where more than enough waits; `held` is what a write that waits needs. */
  private written(handle: StreamHandle, outcome: number | object, held: ReadBuffer | Buffer | null): boolean {
    if (outcome === 0) return true;
    if (typeof outcome === 'number') {
      this.failWrite(outcome);
      return false;
    }
    const request = outcome as WriteRequest;
    request.connection = this;
    request.held = held;
    if (held instanceof ReadBuffer) held.users++;
    this.writesUnderWay++;
    request.oncomplete = onWritten;
    const status = request.writeStatus ?? null;
    if (status !== null) {
      this.onWritten(request, status);
      return status === 0;
    }
    if (handle.writeQueueSize <= highWaterBytes) return true;
    this.owesDrain = true;
    return false;
  }

  private failWrite(errorNumber: number): void {
    const code = getSystemErrorName(errorNumber);
    this.fail(this.describe(code, code));
  }

  private describe(code: string, message: string): TransportError {
    if (isTlsCode(code)) return { kind: 'tls-failed', detail: `TLS handshake failed (${code})` };
    return this.isEstablished ? connectionLost(code, message) : networkError(code, message);
  }

  /** The handle where reading is stopped and started without the stream above; that one has its say until the first read. */
  private readsDirectly(): StreamHandle | null {
    return this.tls === null && this.writesDirectly && this.readLength > 0 ? handleOf(this.socket) : null;
  }

  /** A bug of ours costs this connection, never the process. */
  private break(error: unknown): void {
    const stack = error instanceof Error ? (error.stack ?? error.message) : errorMessage(error);
    this.logger.error('internal error, connection dropped', { stack });
    this.socket.destroy();
  }
}

function releaseHeld(connection: NodeConnection): void {
  connection.release();
}
