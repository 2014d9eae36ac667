// Hot path.
import { Socket, type SocketConstructorOpts } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { type Logger, type Timer, errorMessage } from '@heddle/base';
import { writeLatin1 } from '../latin1.ts';
import { connectionLost, networkError, timeoutError } from '../network-error.ts';
import type { PlainSocket } from '../plain-socket.ts';
import { type ReadBuffer, bulkReadBytes, readBuffers } from '../read-buffers.ts';
import type {
  AcceptHandler,
  ConnectionHandler,
  ConnectionSource,
  TcpAddress,
  TlsSession,
  TransportError,
} from '../transport.ts';
import { ErrorNumber, type Kernel, Readiness, stagingBytes } from './kernel.ts';
import type { Poller, Watched } from './poller.ts';
import { WriteQueue, addressOf } from './write-queue.ts';

/** What the connections of a thread share. */
export interface Engine {
  readonly kernel: Kernel;
  readonly poller: Poller;
  /** Where the buffer is that all connections read into. */
  readonly sharedAddress: bigint;
}

/**
 * Told once per change, so that a descriptor costs one call to be watched, however often it is paused or has no room, and that
 * the kernel does not look at each socket again after each event.
 */
const watchedFor = Readiness.IN | Readiness.PRI | Readiness.OUT | Readiness.RDHUP | Readiness.EDGE;
const incoming = Readiness.IN | Readiness.PRI | Readiness.RDHUP | Readiness.HUP | Readiness.ERR;
/** A read that brings less than it could doesn't show any more that nothing is left: an end or an urgent byte cuts it short. */
const cutsReads = Readiness.PRI | Readiness.RDHUP | Readiness.HUP | Readiness.ERR;

const Phase = { connecting: 0, open: 1, closed: 2, handedOver: 3 } as const;

/** What few connections have. */
interface Extras {
  originalDestination: TcpAddress | null;
  upstreamSource: ConnectionSource | null;
  inspectedServerName: string;
  directRemote: TcpAddress | null;
  /** Who has taken the socket over. */
  successor: Socket | null;
}

/** One TCP socket. */
export class SysConnection implements PlainSocket, Watched {
  generation = 0;
  isDue = false;
  isHolding = false;
  remoteAddress: string;
  remotePort: number;
  localAddress: string;
  localPort: number;
  private readonly engine: Engine;
  private readonly logger: Logger;
  private fd: number;
  private phase: number;
  private handler: ConnectionHandler | null = null;
  private queue: WriteQueue | null = null;
  /** Where the next read goes; null for the buffer that all share. */
  private readBuffer: ReadBuffer | null = null;
  private isPaused = false;
  private isReadable = false;
  private readsToEnd = false;
  private hasEnded = false;
  private hasPeerEnded = false;
  private failure: TransportError | null = null;
  private timer: Timer | null = null;
  private extras: Extras | null = null;

  /** `isOpen`: it has been accepted; otherwise it is on its way, and `onReady` tells what comes of it. */
  constructor(
    engine: Engine,
    logger: Logger,
    fd: number,
    remote: TcpAddress,
    local: TcpAddress,
    isOpen: boolean,
  ) {
    this.engine = engine;
    this.logger = logger;
    this.fd = fd;
    this.remoteAddress = remote.host;
    this.remotePort = remote.port;
    this.localAddress = local.host;
    this.localPort = local.port;
    this.phase = isOpen ? Phase.open : Phase.connecting;
  }

  get fileDescriptor(): number {
    return this.fd;
  }

  get peerIdentity(): string {
    return '';
  }

  get peerFingerprint(): string {
    return '';
  }

  get tls(): TlsSession | null {
    return null;
  }

  get originalDestination(): TcpAddress | null {
    return this.extras?.originalDestination ?? null;
  }

  get directRemoteAddress(): string {
    return this.extras?.directRemote?.host ?? this.remoteAddress;
  }

  get directRemotePort(): number {
    return this.extras?.directRemote?.port ?? this.remotePort;
  }

  get upstreamSource(): ConnectionSource | null {
    return this.extras?.upstreamSource ?? null;
  }

  set upstreamSource(source: ConnectionSource | null) {
    this.extra().upstreamSource = source;
  }

  get inspectedServerName(): string {
    return this.extras?.inspectedServerName ?? '';
  }

  set inspectedServerName(name: string) {
    this.extra().inspectedServerName = name;
  }

  overrideAddresses(remote: TcpAddress | null, local: TcpAddress | null): void {
    const extras = this.extra();
    if (remote !== null) {
      extras.directRemote ??= { host: this.remoteAddress, port: this.remotePort };
      this.remoteAddress = remote.host;
      this.remotePort = remote.port;
    }
    if (local === null) return;
    this.localAddress = local.host;
    this.localPort = local.port;
    extras.originalDestination = local;
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

  /** Begins to hear of the socket. False where the system can watch no more: it is closed then. */
  watch(): boolean {
    const { kernel, poller } = this.engine;
    if (poller.watch(this.fd, watchedFor, this)) return true;
    const { errorName } = kernel;
    kernel.close(this.fd);
    this.fd = -1;
    this.fail(networkError(errorName, errorName));
    return false;
  }

  /** Bounds the time to connect. */
  limitConnecting(timer: Timer): void {
    this.timer = timer;
  }

  /** The connection could not be made in time. */
  timeOut(): void {
    this.fail(timeoutError);
  }

  /** Drops the socket for this reason, which `onClose` reports. */
  fail(failure: TransportError): void {
    this.failure ??= failure;
    this.destroy();
  }

  handOver(received: Buffer): Socket {
    this.engine.poller.unwatch(this.fd);
    // `manualStart`, which the type lacks: the bytes that were read come first.
    const options: SocketConstructorOpts & { readonly manualStart: true } = {
      fd: this.fd,
      allowHalfOpen: true,
      manualStart: true,
    };
    const socket = new Socket(options);
    socket.unshift(Buffer.from(received));
    this.phase = Phase.handedOver;
    this.fd = -1;
    this.handler = null;
    if (this.readBuffer !== null) readBuffers.release(this.readBuffer);
    this.readBuffer = null;
    this.extra().successor = socket;
    return socket;
  }

  onReady(events: number): void {
    if (this.phase === Phase.connecting) this.finishConnecting(events);
    if ((events & Readiness.OUT) !== 0 && this.queue !== null) this.flush();
    if ((events & incoming) === 0) return;
    if (this.hasPeerEnded && this.phase === Phase.open && (events & Readiness.ERR) !== 0) {
      // No read will tell.
      this.failAsSocket();
      return;
    }
    if ((events & cutsReads) !== 0) this.readsToEnd = true;
    this.isReadable = true;
    if (!this.isPaused) this.read();
  }

  onTurn(): void {
    if (this.phase === Phase.closed) this.tellClosed();
    else if (this.isReadable && !this.isPaused) this.read();
  }

  write(buffer: Buffer, start: number, end: number): boolean {
    if (!(start >= 0 && start <= end && end <= buffer.length)) throw new RangeError('no such bytes');
    if (this.phase !== Phase.open || this.hasEnded || this.queue !== null)
      return this.enqueue(buffer, start, end);
    if (start === end) return true;
    const { kernel, sharedAddress } = this.engine;
    const { shared, lender } = readBuffers;
    if (buffer === shared) {
      const count = kernel.write(this.fd, sharedAddress + BigInt(start), end - start);
      return count === end - start || this.enqueueRest(count, buffer, start, end);
    }
    if (lender !== null && lender.bytes === buffer) {
      const count = kernel.write(this.fd, addressOf(kernel, lender) + BigInt(start), end - start);
      return count === end - start || this.enqueueRest(count, buffer, start, end);
    }
    return this.writeStaged(buffer, start, end);
  }

  writeLatin1(text: string): boolean {
    const { length } = text;
    if (this.phase !== Phase.open || this.hasEnded || this.queue !== null || length > stagingBytes) {
      const bytes = Buffer.from(text, 'latin1');
      return this.write(bytes, 0, bytes.length);
    }
    if (length === 0) return true;
    const { kernel } = this.engine;
    writeLatin1(kernel.staging, text, length);
    const count = kernel.write(this.fd, kernel.stagingAddress, length);
    return count === length || this.enqueueRest(count, kernel.staging, 0, length);
  }

  writeHeadAndBody(text: string, buffer: Buffer, start: number, end: number): boolean {
    const { length } = text;
    const total = length + end - start;
    if (this.phase !== Phase.open || this.hasEnded || this.queue !== null || total > stagingBytes) {
      this.writeLatin1(text);
      return this.write(buffer, start, end);
    }
    const { kernel } = this.engine;
    writeLatin1(kernel.staging, text, length);
    buffer.copy(kernel.staging, length, start, end);
    const count = kernel.write(this.fd, kernel.stagingAddress, total);
    return count === total || this.enqueueRest(count, kernel.staging, 0, total);
  }

  end(): void {
    if (this.hasEnded || this.phase === Phase.closed || this.phase === Phase.handedOver) return;
    this.hasEnded = true;
    if (this.queue !== null) this.queue.owesDrain = false;
    else if (this.phase === Phase.open) this.finishWriting();
  }

  destroy(): void {
    if (this.phase === Phase.handedOver) this.extras?.successor?.destroy();
    if (this.phase === Phase.closed || this.phase === Phase.handedOver) return;
    const { kernel, poller } = this.engine;
    this.phase = Phase.closed;
    this.timer?.cancel();
    this.timer = null;
    if (this.fd >= 0) {
      poller.forget(this.fd);
      kernel.close(this.fd);
      this.fd = -1;
    }
    this.queue?.clear();
    this.queue = null;
    poller.attend(this);
  }

  reset(): void {
    if (this.fd >= 0) this.engine.kernel.setLinger(this.fd);
    this.destroy();
  }

  pauseReading(): void {
    this.isPaused = true;
  }

  resumeReading(): void {
    this.isPaused = false;
    if (this.isReadable) this.engine.poller.attend(this);
  }

  private extra(): Extras {
    this.extras ??= {
      originalDestination: null,
      upstreamSource: null,
      inspectedServerName: '',
      directRemote: null,
      successor: null,
    };
    return this.extras;
  }

  private finishConnecting(events: number): void {
    const { kernel } = this.engine;
    if ((events & (Readiness.ERR | Readiness.HUP)) !== 0) {
      this.failAsSocket();
      return;
    }
    if ((events & Readiness.OUT) === 0) return;
    this.timer?.cancel();
    this.timer = null;
    const local = kernel.localAddress(this.fd);
    if (local !== null) {
      this.localAddress = local.host;
      this.localPort = local.port;
    }
    this.phase = Phase.open;
    // Ended already, and nothing waits that would have to leave before.
    if (this.hasEnded && this.queue === null) this.finishWriting();
    try {
      this.handler?.onConnect();
    } catch (error) {
      this.break(error);
    }
  }

  /** Drops it for what has failed on the socket. */
  private failAsSocket(): void {
    const code = getSystemErrorName(-(this.engine.kernel.socketError(this.fd) || ErrorNumber.ECONNRESET));
    this.failFor(code);
  }

  /** Drops it for what a call to the system has said. */
  private failFor(code: string): void {
    this.fail(this.phase === Phase.open ? connectionLost(code, code) : networkError(code, code));
  }

  private read(): void {
    if (this.phase !== Phase.open || this.hasPeerEnded) return;
    const { kernel, sharedAddress } = this.engine;
    const own = this.readBuffer;
    const bytes = own === null ? readBuffers.shared : own.bytes;
    const address = own === null ? sharedAddress : addressOf(kernel, own);
    const count = kernel.read(this.fd, address, bytes.length);
    if (count > 0) this.deliver(own, bytes, count);
    else if (count === 0) this.finishReading();
    else if (kernel.errorNumber === ErrorNumber.EAGAIN) this.isReadable = false;
    else this.failFor(kernel.errorName);
  }

  /** Hands bytes to the owner. One read per turn, so that others have theirs. */
  private deliver(own: ReadBuffer | null, bytes: Buffer, count: number): void {
    if (count < bytes.length && !this.readsToEnd) this.isReadable = false;
    else this.engine.poller.attend(this);
    readBuffers.lender = own;
    try {
      this.handler?.onData(bytes, 0, count);
    } catch (error) {
      this.break(error);
    }
    readBuffers.lender = null;
    if ((own !== null || count >= bulkReadBytes) && this.phase === Phase.open)
      this.readBuffer = readBuffers.next(own, count);
  }

  private finishReading(): void {
    this.isReadable = false;
    this.hasPeerEnded = true;
    this.engine.poller.release(this);
    try {
      this.handler?.onEnd();
    } catch (error) {
      this.break(error);
    }
    if (this.hasEnded && this.queue === null) this.destroy();
  }

  /** Everything is written after `end`. */
  private finishWriting(): void {
    if (this.hasPeerEnded) this.destroy();
    else this.engine.kernel.shutDown(this.fd);
  }

  private flush(): void {
    const queue = this.queue!;
    const failure = queue.flush(this.fd);
    if (failure !== 0) {
      const code = getSystemErrorName(-failure);
      this.failFor(code);
      return;
    }
    if (!queue.isEmpty) return;
    this.queue = null;
    if (this.hasEnded) this.finishWriting();
    else if (queue.owesDrain) {
      try {
        this.handler?.onDrain();
      } catch (error) {
        this.break(error);
      }
    }
  }

  /** Writes bytes whose address nobody knows. */
  private writeStaged(buffer: Buffer, start: number, end: number): boolean {
    const { kernel } = this.engine;
    for (let at = start; at < end;) {
      const length = buffer.copy(kernel.staging, 0, at, Math.min(end, at + stagingBytes));
      const count = kernel.write(this.fd, kernel.stagingAddress, length);
      if (count < length) return this.enqueueRest(count, buffer, at, end);
      at += length;
    }
    return true;
  }

  /** After a write of which the kernel has taken only `count` bytes, or none with an error. */
  private enqueueRest(count: number, buffer: Buffer, start: number, end: number): boolean {
    const { kernel } = this.engine;
    if (count >= 0) return this.enqueue(buffer, start + count, end);
    if (kernel.errorNumber === ErrorNumber.EAGAIN) return this.enqueue(buffer, start, end);
    this.failFor(kernel.errorName);
    return false;
  }

  private enqueue(buffer: Buffer, start: number, end: number): boolean {
    if (this.hasEnded || this.phase > Phase.open) return false;
    if (start === end) return true;
    this.queue ??= new WriteQueue(this.engine.kernel);
    const { lender } = readBuffers;
    return lender !== null && lender.bytes === buffer
      ? this.queue.lend(lender, start, end)
      : this.queue.add(buffer, start, end);
  }

  private tellClosed(): void {
    if (this.readBuffer !== null) readBuffers.release(this.readBuffer);
    this.readBuffer = null;
    const { handler } = this;
    this.handler = null;
    try {
      handler?.onClose(this.failure);
    } catch (error) {
      this.break(error);
    }
  }

  /** A bug of ours costs this connection, never the process. */
  private break(error: unknown): void {
    const stack = error instanceof Error ? (error.stack ?? error.message) : errorMessage(error);
    this.logger.error('internal error, connection dropped', { stack });
    this.destroy();
  }
}
