// Hot path.
// One client's HTTP/1.1 connection: requests in, responses out, one exchange at a time. Pipelined requests wait in the
// kernel's buffer or, what came with the current one, in `pending`.
import type { ByteCount } from '../codec/byte-count.ts';
import { type TimerWheelEntry, invariant } from '@heddle/base';
import { FieldList } from '../codec/field-list.ts';
import { BodyKind } from '../codec/message-view.ts';
import type { OutgoingResponse } from '../codec/outgoing-response.ts';
import type { ExchangeSource, Rejection, ServerExchange, ServerStream } from '../codec/server-stream.ts';
import { type ServedConnection, type ServedConnections, limitSilence } from '../codec/served-connections.ts';
import type { ByteStream, Connection, ConnectionHandler, TransportError } from '../transport/transport.ts';
import { chunkError } from './chunk-scanner.ts';
import { AgeLimit, type Aging } from './connection-age.ts';
import { needMore } from './head-scanner.ts';
import { responseText } from './head-writer.ts';
import { PendingBytes } from './pending-bytes.ts';
import { RequestError, type RequestHead } from './request-head.ts';
import { type RequestReader, requestReaders } from './request-reader.ts';
import { Rejections, rejectionOf, rejectionResponse } from './request-rejection.ts';
import { ResponseOutput, lineEnd } from './response-output.ts';
import { type ServerContext, type ServerSettings, UnderscoreAction } from './server-settings.ts';

const Phase = { idle: 0, body: 1, awaitingResponse: 2, tunnel: 3, closing: 4, closed: 5 } as const;

const noTrailers = new FieldList();
const closeLine = 'connection: close\r\n';
const continueResponse = 'HTTP/1.1 100 Continue\r\n\r\n';

/** One accepted connection. */
export class ServerConnection
  extends ResponseOutput
  implements ConnectionHandler, ServerStream, ServedConnection, TimerWheelEntry, Aging
{
  deadlineMs = -1;
  wheelSlot = -1;
  /** True once nothing more may be asked on this connection: the next response says `Connection: close`. */
  isLast = false;

  private readonly exchanges: ExchangeSource;
  /** Both from the first byte of a head until its request has been answered: an idle connection costs little. */
  private exchange: ServerExchange | null = null;
  private reader: RequestReader | null = null;
  private readonly context: ServerContext;
  private readonly owner: ServedConnections;
  private phase: number = Phase.idle;
  private bodyLeft = 0;
  private readonly pending = new PendingBytes();
  private scanned = 0;
  private isParsing = false;
  private requestEnded = false;
  private responseStarted = false;
  private responseEnded = false;
  private readingPaused = false;
  private requests = 0;
  private isClosedLocally = false;
  private isClosedRemotely = false;
  /** Why the head timer runs: the shorter of two limits. */
  private headTimeout: Rejection = Rejections.headTimeout;
  /** Who has taken the bytes over, once this is no HTTP any more. */
  private tunnel: ConnectionHandler | null = null;
  private readonly ageLimit: AgeLimit | null;
  /** Monotonic milliseconds. */
  readonly acceptedAt: number;

  constructor(
    connection: Connection,
    exchanges: ExchangeSource,
    settings: ServerSettings,
    context: ServerContext,
    owner: ServedConnections,
    acceptedAt: number,
  ) {
    super(connection, settings);
    this.context = context;
    this.owner = owner;
    this.exchanges = exchanges;
    this.acceptedAt = acceptedAt;
    this.isLast = owner.isDraining;
    this.ageLimit = settings.maxConnectionDurationMs > 0 ? new AgeLimit(this) : null;
    if (this.ageLimit !== null)
      context.timers.arm(this.ageLimit, settings.maxConnectionDurationMs, acceptedAt);
    settings.metrics.http1ConnectionsTotal.value++;
    settings.metrics.http1ConnectionsActive.value++;
    this.armIdle();
  }

  /** True between the last byte of a response and the first of the next request. */
  get isIdle(): boolean {
    return this.phase === Phase.idle && !this.isMidHead && this.pending.length === 0;
  }

  private get isMidHead(): boolean {
    return this.reader !== null && this.reader.scanner.isMidHead;
  }

  /** True once the last byte of the request's body has arrived: a response before that ends the connection. */
  get isRequestComplete(): boolean {
    return this.requestEnded;
  }

  /** Bytes of the request's body so far, framing left out. */
  get bodyBytes(): number {
    if (this.reader === null) return 0;
    const { head, chunks } = this.reader;
    return head.bodyKind === BodyKind.chunked ? chunks.dataBytes : head.contentLength - this.bodyLeft;
  }

  /** HTTP/1.0 knows no chunks. */
  get takesChunks(): boolean {
    return this.head.minorVersion === 1;
  }

  private get head(): RequestHead {
    return this.reader!.head;
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
      this.pending.add(buffer, start, end);
      this.pauseReading();
      return;
    }
    if (this.pending.length === 0) {
      this.parse(buffer, start, end);
      return;
    }
    this.pending.add(buffer, start, end);
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
    if (this.phase === Phase.body || this.phase === Phase.awaitingResponse) this.exchange!.onResponseDrain();
    else if (this.phase === Phase.tunnel) this.tunnel!.onDrain();
    else if (this.phase === Phase.idle && !this.isParsing && this.pending.length > 0) this.parsePending();
  }

  onClose(error: TransportError | null): void {
    const { tunnel, phase } = this;
    const owed = (phase === Phase.body || phase === Phase.awaitingResponse) && !this.responseEnded;
    this.phase = Phase.closed;
    this.pending.clear();
    this.tunnel = null;
    this.context.timers.disarm(this);
    if (this.ageLimit !== null) this.context.timers.disarm(this.ageLimit);
    this.owner.remove(this);
    this.settings.metrics.http1ConnectionsActive.value--;
    this.settings.metrics.countClosed(
      this.isClosedLocally || (phase === Phase.closing && !this.isClosedRemotely),
      owed || tunnel !== null,
      this.connection.tls !== null,
      this.context.clock.monotonic() - this.acceptedAt,
    );
    if (owed) this.exchange!.onClientGone('downstream_remote_disconnect');
    tunnel?.onClose(error);
    this.rest();
  }

  // TimerWheelEntry: idle between requests, or a head that does not come to its end.

  onTimeout(): void {
    if (this.phase !== Phase.idle) return;
    if (this.isMidHead) {
      this.reject(this.headTimeout);
      return;
    }
    // One that was asked to go has been counted.
    if (!this.isLast) this.settings.metrics.idleTimeouts.value++;
    this.closeNow();
  }

  onLingerTimeout(): void {
    this.settings.metrics.delayedCloseTimeouts.value++;
  }

  /** `max_connection_duration` is over: the response under way, if there is one, is the last. */
  onTooOld(): void {
    if (this.phase >= Phase.tunnel) return;
    this.settings.metrics.maxDurationsReached.value++;
    this.drain();
  }

  // For the exchange

  serveBy(exchange: ServerExchange): void {
    this.exchange = exchange;
  }

  endConnection(): void {
    this.isLast = true;
  }

  unframeRequest(): void {
    this.reader!.chunks.reset(true);
  }

  sendHead(response: OutgoingResponse): void {
    this.responseStarted = true;
    const { head } = this;
    const isUnbounded = response.bodyKind === BodyKind.untilEnd;
    const knowsChunks = head.minorVersion === 1;
    this.chunksResponse = isUnbounded && knowsChunks;
    this.takesResponseTrailers = this.chunksResponse || response.bodyKind === BodyKind.chunked;
    // HTTP/1.0 learns a body's end from the connection's.
    if (isUnbounded && !knowsChunks) this.isLast = true;
    this.heldHead = responseText(
      response,
      knowsChunks ? 'HTTP/1.1' : 'HTTP/1.0',
      this.chunksResponse,
      this.connectionLine(response),
    );
  }

  /** HTTP/1.0 knows no interim responses. */
  sendInterim(response: OutgoingResponse): void {
    if (this.head.minorVersion === 1) this.writeInterim(responseText(response, 'HTTP/1.1', false, ''));
  }

  get tunnelSent(): ByteCount {
    return this.settings.metrics.bytesSent;
  }

  startTunnel(handler: ConnectionHandler): ByteStream {
    this.flush();
    this.phase = Phase.tunnel;
    this.tunnel = handler;
    this.context.timers.disarm(this);
    const { bytes, length } = this.pending;
    this.pending.clear();
    if (length > 0) handler.onData(bytes, 0, length);
    this.resumeReading();
    return this.connection;
  }

  /** The response is complete. The next request is taken up when this one is complete too. */
  endResponse(): void {
    if (this.phase >= Phase.closing) return;
    this.endBody();
    this.responseEnded = true;
    this.flush();
    // An answer before the request's end: what is left of the body would be taken for a request. No second try.
    if (this.isLast || !this.requestEnded) {
      this.closeNow();
      return;
    }
    this.finishExchange();
  }

  /** Drops the connection because the response can't be completed. What there is of it goes, as the log will say. */
  abort(): void {
    this.flush();
    this.isClosedLocally = true;
    this.connection.destroy();
  }

  /** Once all of it has come, what can still be read is that the client goes. */
  pauseRequest(): void {
    if (!this.requestEnded) this.pauseReading();
  }

  resumeRequest(): void {
    this.resumeReading();
  }

  /** Ends after the current exchange, or at once where there is none. */
  drain(): void {
    this.isLast = true;
    if (this.isIdle) this.closeNow();
  }

  /** The next response, where one is still asked for, says that it is the last. */
  dismiss(): void {
    // One that is busy is asked by its response, which may be on its way already.
    if (!this.isIdle) return;
    if (!this.isLast) this.settings.metrics.drainCloses.value++;
    this.isLast = true;
    limitSilence(this, this.context);
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
      this.pending.add(buffer, at, end);
      this.pauseReading();
      if (this.phase === Phase.idle) this.armIdle();
      return;
    }
    if (this.phase === Phase.idle) this.awaitNext();
  }

  private parsePending(): void {
    const { pending } = this;
    const { length } = pending;
    pending.length = 0;
    this.parse(pending.bytes, 0, length);
    // A connection that is idle again owns no memory but its state.
    if (pending.length === 0) pending.clear();
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
    const { exchange, reader } = this;
    this.exchange = null;
    this.reader = null;
    if (exchange !== null) this.exchanges.giveBack(exchange);
    if (reader !== null) requestReaders.giveBack(reader);
  }

  /** Returns the position behind the head, or -1 where the head isn't complete or was refused. */
  private parseHead(buffer: Buffer, start: number, end: number): number {
    const from = this.scanned;
    const { settings } = this;
    const reader = (this.reader ??= requestReaders.take(settings.maxHeadBytes, settings.maxFields));
    const { scanner, head } = reader;
    const result = scanner.scan(buffer, start, from, end - start);
    if (result === needMore) {
      this.scanned = end - start;
      this.pending.add(buffer, start, end);
      if (from === 0) this.armHead();
      return -1;
    }
    this.scanned = 0;
    if (result < 0) return this.refuse(rejectionOf(result));
    const error = head.parse(scanner, buffer, start, result, settings);
    scanner.reset();
    if (error !== RequestError.none) return this.refuse(rejectionOf(error));
    if (settings.underscores !== UnderscoreAction.allow && head.hasUnderscoredName()) {
      if (settings.underscores === UnderscoreAction.reject) {
        settings.metrics.underscoreRequestsRejected.value++;
        return this.refuse(Rejections.underscore);
      }
      settings.metrics.underscoreFieldsDropped.value += head.dropUnderscoredNames();
    }
    this.beginExchange(reader);
    return start + result;
  }

  private beginExchange({ head, chunks }: RequestReader): void {
    // The idle timer stays armed: it does nothing during an exchange, and pushing it back later costs two stores.
    const { settings } = this;
    if (head.closesConnection) this.isLast = true;
    if (++this.requests === settings.maxRequests) {
      this.isLast = true;
      settings.metrics.maxRequestsReached.value++;
    }
    this.responseStarted = false;
    this.responseEnded = false;
    this.chunksResponse = false;
    this.requestEnded = head.bodyKind === BodyKind.none;
    this.bodyLeft = head.contentLength;
    if (head.bodyKind === BodyKind.chunked) chunks.reset();
    this.phase = this.requestEnded ? Phase.awaitingResponse : Phase.body;
    if (head.expectsContinue && !settings.forwardsExpectation && !this.requestEnded)
      this.writeInterim(continueResponse);
    this.exchange ??= this.exchanges.take(this);
    this.exchange.onRequestHead(head);
    if (this.requestEnded && this.phase === Phase.awaitingResponse && !this.responseEnded)
      this.exchange.onRequestEnd();
  }

  private parseBody(buffer: Buffer, start: number, end: number): number {
    const exchange = this.exchange!;
    const { head, chunks } = this.reader!;
    if (head.bodyKind === BodyKind.length) {
      const available = end - start;
      const taken = available < this.bodyLeft ? available : this.bodyLeft;
      this.bodyLeft -= taken;
      if (this.bodyLeft === 0) this.requestEnded = true;
      if (!this.responseEnded) exchange.onRequestBody(buffer, start, start + taken);
      this.bodyProgress();
      return start + taken;
    }
    const wasInTrailers = chunks.isInTrailers;
    const stop = chunks.scan(buffer, start, end);
    if (stop === chunkError) return this.breakOff();
    if (wasInTrailers) {
      if (this.settings.takesTrailers) this.reader!.trailers.add(buffer, start, stop);
    } else if (stop > start && !this.responseEnded && (!chunks.splits || chunks.tookData)) {
      exchange.onRequestBody(buffer, start, stop);
    }
    if (chunks.isDone && !this.endChunks(exchange, this.reader!)) return this.breakOff();
    this.bodyProgress();
    return stop;
  }

  /** The chunked body is complete; false where its trailers are none. */
  private endChunks(exchange: ServerExchange, reader: RequestReader): boolean {
    const trailers = this.settings.takesTrailers ? reader.trailers.finish() : noTrailers;
    if (trailers === null) return false;
    this.requestEnded = true;
    if (this.responseEnded) return true;
    if (trailers.length > 0) exchange.onRequestTrailers(trailers);
    if (!reader.chunks.splits) exchange.onRequestBody(lineEnd, 0, lineEnd.length);
    return true;
  }

  /** The body can't be read any further: nothing behind it can be trusted. */
  private breakOff(): number {
    if (this.responseStarted) {
      if (!this.responseEnded) this.exchange!.onClientGone('downstream_remote_disconnect{reset}');
      this.abort();
    } else {
      this.reject(Rejections.codecError);
    }
    return -1;
  }

  private bodyProgress(): void {
    if (!this.requestEnded || this.phase !== Phase.body) return;
    this.phase = Phase.awaitingResponse;
    this.resumeReading();
    if (!this.responseEnded) this.exchange!.onRequestEnd();
  }

  private finishExchange(): void {
    this.phase = Phase.idle;
    // Called while parsing, the loop in `parse` goes on with what came behind this request.
    if (this.isParsing) return;
    if (this.pending.length > 0) this.parsePending();
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
    const exchange = (this.exchange ??= this.exchanges.take(this));
    const { response, body } = rejectionResponse(rejection, exchange.ownReplyFields());
    this.write(responseText(response, 'HTTP/1.1', false, closeLine) + body);
    exchange.onRejected(rejection, response, body.length);
    this.connection.end();
    this.owner.lingerClose(this, this.settings.delayedCloseTimeoutMs);
  }

  private closeNow(): void {
    if (this.phase >= Phase.closing) return;
    this.phase = Phase.closing;
    this.pending.clear();
    this.context.timers.disarm(this);
    this.connection.end();
    this.owner.lingerClose(this, this.settings.delayedCloseTimeoutMs);
  }

  /** What the response's head says about the connection: usually nothing. */
  private connectionLine(response: OutgoingResponse): string {
    if (response.upgrade !== '') return response.upgrade === 'connect' ? '' : response.head!.upgradeLines();
    if (!this.isLast && this.owner.drainPolicy.shouldClose()) {
      this.isLast = true;
      this.settings.metrics.drainCloses.value++;
    }
    if (this.isLast || !this.requestEnded) return closeLine;
    return this.head.minorVersion === 0 ? 'connection: keep-alive\r\n' : '';
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
    const { settings, context } = this;
    if (settings.idleTimeoutMs > 0) context.timers.arm(this, settings.idleTimeoutMs, context.clock.recent());
  }

  private armHead(): void {
    const { headTimeoutMs, requestTimeoutMs } = this.settings;
    const isOverall = requestTimeoutMs > 0 && (headTimeoutMs === 0 || requestTimeoutMs < headTimeoutMs);
    const timeoutMs = isOverall ? requestTimeoutMs : headTimeoutMs;
    this.headTimeout = isOverall ? Rejections.requestTimeout : Rejections.headTimeout;
    if (timeoutMs > 0) this.context.timers.arm(this, timeoutMs);
  }
}
