// Hot path.
// One client's HTTP/1.1 connection: requests in, responses out, one exchange at a time. Pipelined requests wait in the
// kernel's buffer or, what came with the current one, in `pending`.
import { type TimerWheelEntry, invariant } from '@heddle/base';
import type { Connection, ConnectionHandler, TransportError } from '../transport/transport.ts';
import { ChunkScanner, chunkError } from './chunk-scanner.ts';
import { type HeadScanner, needMore } from './head-scanner.ts';
import { requestScanners } from './head-scanner-pool.ts';
import { latin1 } from '../transport/latin1.ts';
import { BodyKind } from './message-head.ts';
import { AgeLimit, type Aging } from './connection-age.ts';
import { TrailerReader } from './trailer-reader.ts';
import { RequestError, RequestHead } from './request-head.ts';
import { type Rejection, Rejections, rejectionOf, rejectionResponse } from './request-rejection.ts';
import {
  type DrainPolicy,
  type ServerContext,
  type ServerExchange,
  type ServerSettings,
  UnderscoreAction,
} from './server-exchange.ts';

const Phase = { idle: 0, body: 1, awaitingResponse: 2, tunnel: 3, closing: 4, closed: 5 } as const;

const noBytes = Buffer.alloc(0);
/** A body up to this size leaves together with its head: copying it costs less than a second system call. */
const maxJoinedBytes = 16 * 1024;
const lineEnd = Buffer.from('\r\n');
const badChunkFraming: TransportError = Object.freeze({
  kind: 'reset',
  detail: 'http1.codec_error: bad chunk framing',
});
const continueResponse = 'HTTP/1.1 100 Continue\r\n\r\n';

/** Told about the end of a connection: the set that it belongs to. */
export interface ServerConnectionOwner {
  /** The connection is gone. */
  remove(connection: ServerConnection): void;
  /** Everything has been sent: drop the connection if its peer does not close its side in time. */
  lingerClose(connection: ServerConnection, timeoutMs: number): void;
  readonly drainPolicy: DrainPolicy;
}

/** One accepted connection. */
export class ServerConnection implements ConnectionHandler, TimerWheelEntry, Aging {
  deadlineMs = -1;
  wheelSlot = -1;
  readonly connection: Connection;
  readonly head = new RequestHead();
  readonly settings: ServerSettings;
  /** True once nothing more may be asked on this connection: the next response says `Connection: close`. */
  isLast = false;

  private readonly exchange: ServerExchange;
  /** From the first byte of a head until its request has been answered. */
  private scanner: HeadScanner | null = null;
  private readonly chunks = new ChunkScanner();
  private readonly context: ServerContext;
  private readonly owner: ServerConnectionOwner;
  private phase: number = Phase.idle;
  private heldHead = '';
  private bodyLeft = 0;
  /** Bytes of a head that came in parts, or of requests sent ahead: the first `pendingLength` of `pending`. */
  private pending: Buffer = noBytes;
  private pendingLength = 0;
  private scanned = 0;
  private isParsing = false;
  private requestEnded = false;
  private responseStarted = false;
  private responseEnded = false;
  private readingPaused = false;
  /** What was written waits in memory: the next request is taken up when the client has read. */
  private isWriteBlocked = false;
  private requests = 0;
  private isClosedLocally = false;
  private isClosedRemotely = false;
  /** Why the head timer runs: the shorter of two limits. */
  private headTimeout: Rejection = Rejections.headTimeout;
  /** Made for the first chunked body where trailers are enabled. */
  private trailers: TrailerReader | null = null;
  /** Who has taken the bytes over, once this is no HTTP any more. */
  private tunnel: ConnectionHandler | null = null;
  private readonly ageLimit: AgeLimit | null;
  /** Monotonic milliseconds. */
  readonly acceptedAt: number;

  constructor(
    connection: Connection,
    createExchange: (server: ServerConnection) => ServerExchange,
    settings: ServerSettings,
    context: ServerContext,
    owner: ServerConnectionOwner,
  ) {
    this.connection = connection;
    this.settings = settings;
    this.context = context;
    this.owner = owner;
    this.exchange = createExchange(this);
    this.acceptedAt = context.clock.monotonic();
    this.ageLimit = settings.maxConnectionDurationMs > 0 ? new AgeLimit(this) : null;
    if (this.ageLimit !== null) context.timers.arm(this.ageLimit, settings.maxConnectionDurationMs);
    this.armIdle();
  }

  /** True between the last byte of a response and the first of the next request. */
  get isIdle(): boolean {
    return this.phase === Phase.idle && !this.isMidHead && this.pendingLength === 0;
  }

  private get isMidHead(): boolean {
    return this.scanner !== null && this.scanner.isMidHead;
  }

  /** True once the last byte of the request's body has arrived: a response before that ends the connection. */
  get isRequestComplete(): boolean {
    return this.requestEnded;
  }

  /** Bytes of the request's body so far, framing left out. */
  get bodyBytes(): number {
    const { head } = this;
    return head.bodyKind === BodyKind.chunked ? this.chunks.dataBytes : head.contentLength - this.bodyLeft;
  }

  // ConnectionHandler

  onConnect(): void {
    invariant(false, 'an accepted connection is told that it connected');
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.settings.metrics.bytesReceived.value += end - start;
    if (this.phase >= Phase.tunnel) {
      if (this.phase === Phase.tunnel) this.tunnel!.onData(buffer, start, end);
      return;
    }
    if (this.phase === Phase.awaitingResponse || this.isParsing) {
      this.keep(buffer, start, end);
      this.pauseReading();
      return;
    }
    if (this.pendingLength === 0) {
      this.parse(buffer, start, end);
      return;
    }
    this.keep(buffer, start, end);
    this.parsePending();
  }

  onEnd(): void {
    if (this.phase === Phase.tunnel) {
      this.tunnel!.onEnd();
      return;
    }
    if (this.phase < Phase.closing) this.isClosedRemotely = true;
    // As in Envoy, a client that closes its side has gone away: a request nobody waits for is not worth its upstream.
    if (this.phase === Phase.body || this.phase === Phase.awaitingResponse) this.connection.destroy();
    else this.closeNow();
  }

  onDrain(): void {
    this.isWriteBlocked = false;
    if (this.phase === Phase.body || this.phase === Phase.awaitingResponse) this.exchange.onResponseDrain();
    else if (this.phase === Phase.tunnel) this.tunnel!.onDrain();
    else if (this.phase === Phase.idle && !this.isParsing && this.pendingLength > 0) this.parsePending();
  }

  onClose(error: TransportError | null): void {
    const { tunnel, phase } = this;
    const owed = (phase === Phase.body || phase === Phase.awaitingResponse) && !this.responseEnded;
    this.phase = Phase.closed;
    this.pending = noBytes;
    this.pendingLength = 0;
    this.tunnel = null;
    this.context.timers.disarm(this);
    if (this.ageLimit !== null) this.context.timers.disarm(this.ageLimit);
    this.owner.remove(this);
    this.settings.metrics.countClosed(
      this.isClosedLocally || (phase === Phase.closing && !this.isClosedRemotely),
      owed || tunnel !== null,
      this.connection.tls !== null,
      this.context.clock.monotonic() - this.acceptedAt,
    );
    if (owed) this.exchange.onClientGone(error);
    tunnel?.onClose(error);
    this.exchange.onConnectionClosed();
  }

  // TimerWheelEntry: idle between requests, or a head that does not come to its end.

  onTimeout(): void {
    if (this.phase !== Phase.idle) return;
    if (this.isMidHead) {
      this.reject(this.headTimeout);
      return;
    }
    this.settings.metrics.idleTimeouts.value++;
    this.closeNow();
  }

  /** `max_connection_duration` is over: the response under way, if there is one, is the last. */
  onTooOld(): void {
    if (this.phase >= Phase.tunnel) return;
    this.settings.metrics.maxDurationsReached.value++;
    this.drain();
  }

  // For the exchange

  /** Whether the response whose head is about to be written is the last one; asked once for each response. */
  decideLast(): boolean {
    if (!this.isLast && this.owner.drainPolicy.shouldClose()) {
      this.isLast = true;
      this.settings.metrics.drainCloses.value++;
    }
    return this.isLast || !this.isRequestComplete;
  }

  /**
   * Sends the response's head, complete with status line and empty line. It waits for the first bytes of the body, so
   * that a small response leaves in one write, or for `flush`.
   */
  writeHead(text: string): void {
    this.responseStarted = true;
    this.heldHead = text;
  }

  /** Sends what waits. False: wait for `onResponseDrain`. */
  flush(): boolean {
    const head = this.heldHead;
    if (head === '') return true;
    this.heldHead = '';
    return this.write(head);
  }

  /** Sends part of the body, framing included. False: wait for `onResponseDrain`. */
  writeBody(buffer: Buffer, start: number, end: number): boolean {
    const head = this.heldHead;
    if (head !== '') {
      this.heldHead = '';
      if (end - start <= maxJoinedBytes) return this.write(head + latin1(buffer, start, end));
      this.write(head);
    }
    this.settings.metrics.bytesSent.value += end - start;
    return this.noted(this.connection.write(buffer, start, end));
  }

  /** Sends text that belongs to the body: a chunk's framing, or a short reply. */
  writeText(text: string): boolean {
    const head = this.heldHead;
    this.heldHead = '';
    return this.write(head === '' ? text : head + text);
  }

  /** Sends an interim response (1xx), complete with its empty line. HTTP/1.0 knows none. */
  writeInterim(text: string): void {
    if (this.head.minorVersion === 0) return;
    this.settings.metrics.countResponse(100);
    this.write(text);
  }

  /** What was sent before its end has been told: `handler` is given all bytes from here on, those that came early first. */
  startTunnel(handler: ConnectionHandler): void {
    this.flush();
    this.phase = Phase.tunnel;
    this.tunnel = handler;
    this.context.timers.disarm(this);
    const { pending, pendingLength } = this;
    this.pending = noBytes;
    this.pendingLength = 0;
    if (pendingLength > 0) handler.onData(pending, 0, pendingLength);
    this.resumeReading();
  }

  /** The response is complete. The next request is taken up when this one is complete too. */
  endResponse(): void {
    if (this.phase >= Phase.closing) return;
    this.responseEnded = true;
    this.flush();
    // An answer before the request's end: what is left of the body would be taken for a request. No second try.
    if (this.isLast || !this.requestEnded) {
      this.closeNow();
      return;
    }
    this.finishExchange();
  }

  /** Drops the connection because the response can't be completed. */
  abort(): void {
    this.isClosedLocally = true;
    this.connection.destroy();
  }

  /** The upstream takes no more of the body for now. */
  pauseRequest(): void {
    this.pauseReading();
  }

  resumeRequest(): void {
    this.resumeReading();
  }

  /** Ends after the current exchange, or at once where there is none. */
  drain(): void {
    this.isLast = true;
    if (this.isIdle) this.closeNow();
  }

  // Parsing

  private parse(buffer: Buffer, start: number, end: number): void {
    this.isParsing = true;
    let at = start;
    while (at < end && this.phase <= Phase.body) {
      if (this.phase === Phase.idle) {
        // Who sends requests and reads no answers would fill the memory with them.
        if (this.isWriteBlocked) break;
        at = this.parseHead(buffer, at, end);
        if (at < 0) break;
      } else {
        at = this.parseBody(buffer, at, end);
        if (at < 0) break;
      }
    }
    this.isParsing = false;
    if (at >= 0 && at < end && (this.phase === Phase.awaitingResponse || this.phase === Phase.idle)) {
      this.keep(buffer, at, end);
      this.pauseReading();
      if (this.phase === Phase.idle) this.armIdle();
      return;
    }
    if (this.phase === Phase.idle) this.awaitNext();
  }

  private parsePending(): void {
    const length = this.pendingLength;
    this.pendingLength = 0;
    this.parse(this.pending, 0, length);
    // A connection that is idle again owns no memory but its state.
    if (this.pendingLength === 0) this.pending = noBytes;
  }

  /** Between requests, or within a head that isn't complete: that one is still served where the connection ends. */
  private awaitNext(): void {
    if (!this.isMidHead) {
      if (this.isLast) {
        this.closeNow();
        return;
      }
      this.rest();
      this.armIdle();
    }
    this.resumeReading();
  }

  /** Nothing is under way: what the last request left in memory is let go. */
  private rest(): void {
    if (this.scanner === null) return;
    this.exchange.onIdle();
    this.head.clear();
    requestScanners.giveBack(this.scanner);
    this.scanner = null;
  }

  /** Returns the position behind the head, or -1 where the head isn't complete or was refused. */
  private parseHead(buffer: Buffer, start: number, end: number): number {
    const from = this.scanned;
    const { settings } = this;
    const scanner = (this.scanner ??= requestScanners.take(settings.maxHeadBytes, settings.maxFields));
    const result = scanner.scan(buffer, start, from, end - start);
    if (result === needMore) {
      this.scanned = end - start;
      this.keep(buffer, start, end);
      if (from === 0) this.armHead();
      return -1;
    }
    this.scanned = 0;
    if (result < 0) return this.refuse(rejectionOf(result));
    const error = this.head.parse(scanner, buffer, start, result, settings);
    scanner.reset();
    if (error !== RequestError.none) return this.refuse(rejectionOf(error));
    if (this.settings.underscores !== UnderscoreAction.allow && this.head.hasUnderscoredName()) {
      if (this.settings.underscores === UnderscoreAction.reject) {
        this.settings.metrics.underscoreRequestsRejected.value++;
        return this.refuse(Rejections.underscore);
      }
      this.settings.metrics.underscoreFieldsDropped.value += this.head.dropUnderscoredNames();
    }
    this.beginExchange();
    return start + result;
  }

  private beginExchange(): void {
    // The idle timer stays armed: it does nothing during an exchange, and pushing it back later costs two stores.
    const { head, settings } = this;
    if (head.closesConnection) this.isLast = true;
    if (++this.requests === settings.maxRequests) {
      this.isLast = true;
      settings.metrics.maxRequestsReached.value++;
    }
    this.responseStarted = false;
    this.responseEnded = false;
    this.requestEnded = head.bodyKind === BodyKind.none;
    this.bodyLeft = head.contentLength;
    if (head.bodyKind === BodyKind.chunked) this.chunks.reset();
    this.phase = this.requestEnded ? Phase.awaitingResponse : Phase.body;
    if (head.expectsContinue && !settings.forwardsExpectation && !this.requestEnded)
      this.writeInterim(continueResponse);
    this.exchange.onRequestHead(head);
    if (this.requestEnded && this.phase === Phase.awaitingResponse && !this.responseEnded)
      this.exchange.onRequestEnd();
  }

  private parseBody(buffer: Buffer, start: number, end: number): number {
    if (this.head.bodyKind === BodyKind.length) {
      const available = end - start;
      const taken = available < this.bodyLeft ? available : this.bodyLeft;
      this.bodyLeft -= taken;
      if (this.bodyLeft === 0) this.requestEnded = true;
      if (!this.responseEnded) this.exchange.onRequestBody(buffer, start, start + taken);
      this.bodyProgress();
      return start + taken;
    }
    const wasInTrailers = this.chunks.isInTrailers;
    const stop = this.chunks.scan(buffer, start, end);
    if (stop === chunkError) {
      return this.breakOff();
    }
    if (wasInTrailers) {
      if (this.settings.takesTrailers) this.keepTrailers(buffer, start, stop);
    } else if (stop > start && !this.responseEnded) {
      this.exchange.onRequestBody(buffer, start, stop);
    }
    if (this.chunks.isDone) {
      const lines = this.trailers === null ? '' : this.trailers.finish();
      if (lines === null) return this.breakOff();
      this.requestEnded = true;
      if (!this.responseEnded) {
        if (lines !== '') this.exchange.onRequestTrailers(lines);
        this.exchange.onRequestBody(lineEnd, 0, lineEnd.length);
      }
    }
    this.bodyProgress();
    return stop;
  }

  private keepTrailers(buffer: Buffer, start: number, end: number): void {
    this.trailers ??= new TrailerReader(this.settings.maxFields);
    this.trailers.add(buffer, start, end);
  }

  /** The body can't be read any further: nothing behind it can be trusted. */
  private breakOff(): number {
    if (this.responseStarted) {
      if (!this.responseEnded) this.exchange.onClientGone(badChunkFraming);
      this.abort();
    } else {
      this.reject(Rejections.codecError);
    }
    return -1;
  }

  private bodyProgress(): void {
    if (!this.requestEnded || this.phase !== Phase.body) return;
    this.phase = Phase.awaitingResponse;
    if (!this.responseEnded) this.exchange.onRequestEnd();
  }

  private finishExchange(): void {
    this.phase = Phase.idle;
    // Called while parsing, the loop in `parse` goes on with what came behind this request.
    if (this.isParsing) return;
    if (this.pendingLength > 0) this.parsePending();
    else this.awaitNext();
  }

  private refuse(rejection: Rejection): number {
    this.reject(rejection);
    return -1;
  }

  /** Answers what is no request and closes: nothing behind it can be trusted. */
  private reject(rejection: Rejection): void {
    if (this.phase >= Phase.closing) return;
    this.phase = Phase.closing;
    this.context.timers.disarm(this);
    if (rejection.flag === 'DPE') this.settings.metrics.protocolErrors.value++;
    const response = rejectionResponse(rejection, this.exchange.ownReplyLines());
    this.write(response);
    this.exchange.onRejected(rejection, response);
    this.connection.end();
    this.owner.lingerClose(this, this.settings.delayedCloseTimeoutMs);
  }

  private closeNow(): void {
    if (this.phase >= Phase.closing) return;
    this.phase = Phase.closing;
    this.pending = noBytes;
    this.pendingLength = 0;
    this.context.timers.disarm(this);
    this.connection.end();
    this.owner.lingerClose(this, this.settings.delayedCloseTimeoutMs);
  }

  private write(text: string): boolean {
    this.settings.metrics.bytesSent.value += text.length;
    return this.noted(this.connection.writeLatin1(text));
  }

  /** Remembers the outcome of a write. */
  private noted(writable: boolean): boolean {
    if (!writable) this.isWriteBlocked = true;
    return writable;
  }

  private keep(buffer: Buffer, start: number, end: number): void {
    const length = end - start;
    const needed = this.pendingLength + length;
    if (needed > this.pending.length) {
      // Doubling, so that a head sent byte by byte costs no more than one sent at once.
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.pending.length * 2, 1024));
      this.pending.copy(larger, 0, 0, this.pendingLength);
      buffer.copy(larger, this.pendingLength, start, end);
      this.pending = larger;
    } else {
      // Within `pending` itself this moves what is left to the front; copy handles the overlap.
      buffer.copy(this.pending, this.pendingLength, start, end);
    }
    this.pendingLength = needed;
  }

  private pauseReading(): void {
    if (this.readingPaused) return;
    this.readingPaused = true;
    this.connection.pauseReading();
  }

  private resumeReading(): void {
    if (!this.readingPaused) return;
    this.readingPaused = false;
    this.connection.resumeReading();
  }

  private armIdle(): void {
    if (this.settings.idleTimeoutMs > 0) this.context.timers.arm(this, this.settings.idleTimeoutMs);
  }

  private armHead(): void {
    const { headTimeoutMs, requestTimeoutMs } = this.settings;
    const isOverall = requestTimeoutMs > 0 && (headTimeoutMs === 0 || requestTimeoutMs < headTimeoutMs);
    const timeoutMs = isOverall ? requestTimeoutMs : headTimeoutMs;
    this.headTimeout = isOverall ? Rejections.requestTimeout : Rejections.headTimeout;
    if (timeoutMs > 0) this.context.timers.arm(this, timeoutMs);
  }
}
