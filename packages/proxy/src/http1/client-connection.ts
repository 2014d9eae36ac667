// Hot path.
// One HTTP/1.1 connection to an upstream: one exchange at a time, kept alive between them.
import type { ByteCount } from '../codec/byte-count.ts';
import { type ClientStream, ResponseKind, type UpstreamExchange } from '../codec/client-stream.ts';
import { FieldList } from '../codec/field-list.ts';
import { BodyKind } from '../codec/message-view.ts';
import type { OutgoingRequest } from '../codec/outgoing-request.ts';
import {
  ExchangeEnding,
  type UpstreamConnection,
  type UpstreamConnectionOwner,
} from '../codec/upstream-connection.ts';
import type { ByteStream, Connection, ConnectionHandler, TransportError } from '../transport/transport.ts';
import { ChunkScanner, chunkError } from './chunk-scanner.ts';
import { HeadError, HeadScanner, needMore } from './head-scanner.ts';
import { requestText } from './head-writer.ts';
import { ResponseError, ResponseHead } from './response-head.ts';
import { TrailerReader } from './trailer-reader.ts';

/** Where a connection's bytes are counted. */
export interface ByteCounts {
  readonly bytesSent: ByteCount;
  readonly bytesReceived: ByteCount;
}

/** How responses are read, with Envoy's names and defaults. */
export interface ClientSettings {
  /** `max_response_headers_kb` in bytes. */
  readonly maxHeadBytes: number;
  /** `max_headers_count`. */
  readonly maxFields: number;
  /** `enable_trailers`: trailers are told and may be sent, otherwise they are dropped. */
  readonly takesTrailers: boolean;
  /** `allow_chunked_length`: responses with Content-Length and chunks are read by the chunks. */
  readonly allowsChunkedLength: boolean;
}

/** Envoy's defaults for HTTP/1. */
export const defaultClientSettings: ClientSettings = {
  maxHeadBytes: 80 * 1024,
  maxFields: 100,
  takesTrailers: false,
  allowsChunkedLength: false,
};

/** An upstream may send this many interim responses before the final one. */
const maxInterimResponses = 16;
const noBytes = Buffer.alloc(0);
const lineEnd = Buffer.from('\r\n');
const lastChunk = '0\r\n\r\n';
const noTrailers = new FieldList();

const Phase = { connecting: 0, idle: 1, head: 2, body: 3, tunnel: 4, closed: 5 } as const;

export class ClientConnection implements ConnectionHandler, UpstreamConnection, ClientStream {
  readonly handler: ConnectionHandler = this;
  requestCount = 0;
  /** `address:port` of this side, for access logs; empty before the connection is made. */
  localAddress = '';
  readonly refusesUpgrades = false;
  readonly takesUpgradeBodies = true;
  readonly wantsWebSocketKey = true;
  isClosedHere = false;
  wasBusy = false;
  wasToldToClose = false;
  hasBrokenProtocol = false;
  private readonly bytesSent: ByteCount;
  private readonly bytesReceived: ByteCount;
  private connection: Connection | null = null;
  private readonly owner: UpstreamConnectionOwner;
  private isDraining = false;
  private exchange: UpstreamExchange | null = null;
  private readonly settings: ClientSettings;
  private readonly scanner: HeadScanner;
  private readonly chunks = new ChunkScanner();
  private readonly head = new ResponseHead();
  private phase: number = Phase.connecting;
  private asked: number = ResponseKind.usual;
  private unframes = false;
  /** Made for the first chunked body where trailers are enabled. */
  private trailers: TrailerReader | null = null;
  /** Who has taken the bytes over, once this is no HTTP any more. */
  private tunnel: ConnectionHandler | null = null;
  private requestEnded = false;
  /** The request's body has no length: it goes out in chunks. */
  private chunksRequest = false;
  /** It is chunked, here or already: trailers have a place. */
  private takesRequestTrailers = false;
  private readingPaused = false;
  private bodyLeft = 0;
  private interimResponses = 0;
  private pending: Buffer = noBytes;
  private scanned = 0;

  constructor(owner: UpstreamConnectionOwner, settings: ClientSettings, counts: ByteCounts) {
    this.owner = owner;
    this.bytesSent = counts.bytesSent;
    this.bytesReceived = counts.bytesReceived;
    this.settings = settings;
    this.scanner = new HeadScanner(false, settings.maxHeadBytes, settings.maxFields);
  }

  // UpstreamConnection

  get takesStream(): boolean {
    return this.phase === Phase.idle && !this.isDraining;
  }

  get openStreams(): number {
    return this.phase === Phase.idle || this.phase === Phase.closed ? 0 : 1;
  }

  attach(connection: Connection): void {
    this.connection = connection;
  }

  /** It is the stream itself: there is one at a time. */
  openStream(): ClientStream {
    this.requestCount++;
    this.phase = Phase.head;
    return this;
  }

  drain(): void {
    this.isDraining = true;
    if (this.phase === Phase.idle) this.close();
  }

  close(): void {
    this.isClosedHere = true;
    this.connection?.destroy();
  }

  // ClientStream

  get tunnelSent(): ByteCount {
    return this.bytesSent;
  }

  get isReused(): boolean {
    return this.requestCount > 1;
  }

  get chunkedBytes(): number {
    return this.chunks.dataBytes;
  }

  sendHead(exchange: UpstreamExchange, request: OutgoingRequest, asked: number): boolean {
    this.exchange = exchange;
    this.asked = asked;
    this.unframes = false;
    this.requestEnded = false;
    this.chunksRequest = request.bodyKind === BodyKind.untilEnd;
    this.takesRequestTrailers = this.chunksRequest || request.bodyKind === BodyKind.chunked;
    this.interimResponses = 0;
    this.scanned = 0;
    this.scanner.reset();
    return this.writeText(requestText(request));
  }

  sendBody(buffer: Buffer, start: number, end: number): boolean {
    if (!this.chunksRequest) return this.writeBody(buffer, start, end);
    if (start === end) return true;
    this.writeText(`${(end - start).toString(16)}\r\n`);
    this.writeBody(buffer, start, end);
    return this.writeBody(lineEnd, 0, lineEnd.length);
  }

  sendTrailers(fields: FieldList): void {
    // Behind a body with a length they would be the beginning of the next request.
    if (!this.takesRequestTrailers) return;
    const lines = this.settings.takesTrailers ? fields.lines() : '';
    // Chunks that are passed on bring what ends the section.
    if (this.chunksRequest) this.writeText(`0\r\n${lines}\r\n`);
    else if (lines !== '') this.writeText(lines);
    this.chunksRequest = false;
  }

  unframeResponse(): void {
    this.unframes = true;
    this.chunks.reset(true);
  }

  startTunnel(handler: ConnectionHandler): ByteStream {
    this.tunnel = handler;
    this.exchange = null;
    return this.connection!;
  }

  endRequest(): void {
    this.requestEnded = true;
    if (!this.chunksRequest) return;
    this.chunksRequest = false;
    this.writeText(lastChunk);
  }

  pauseResponse(): void {
    this.readingPaused = true;
    this.connection?.pauseReading();
  }

  resumeResponse(): void {
    this.readingPaused = false;
    this.connection?.resumeReading();
  }

  /** The connection can't be reused, since its answer would come to somebody else. */
  abandon(): void {
    this.wasBusy = this.exchange !== null;
    this.endExchange();
    this.destroy();
  }

  // ConnectionHandler

  onConnect(): void {
    const { localAddress, localPort } = this.connection!;
    this.localAddress = `${localAddress}:${localPort}`;
    this.phase = Phase.idle;
    this.owner.onConnected();
  }

  onData(buffer: Buffer, start: number, end: number): void {
    if (this.tunnel !== null) {
      this.bytesReceived.value += end - start;
      this.tunnel.onData(buffer, start, end);
      return;
    }
    if (this.phase === Phase.idle) {
      // Bytes that nobody asked for would be the answer to the next request (response-queue poisoning).
      this.hasBrokenProtocol = true;
      this.destroy();
      return;
    }
    this.bytesReceived.value += end - start;
    if (this.pending.length > 0) {
      const whole = Buffer.concat([this.pending, buffer.subarray(start, end)]);
      this.pending = noBytes;
      this.parse(whole, 0, whole.length);
      return;
    }
    this.parse(buffer, start, end);
  }

  onEnd(): void {
    if (this.tunnel !== null) {
      this.tunnel.onEnd();
      return;
    }
    if (this.phase === Phase.body && this.head.bodyKind === BodyKind.untilEnd) {
      this.complete(false);
      return;
    }
    this.connection!.destroy();
  }

  onDrain(): void {
    if (this.tunnel !== null) this.tunnel.onDrain();
    else this.exchange?.onRequestDrain();
  }

  onClose(error: TransportError | null): void {
    const phase = this.phase;
    this.phase = Phase.closed;
    this.pending = noBytes;
    const exchange = this.exchange;
    const { tunnel } = this;
    this.tunnel = null;
    if (exchange !== null || tunnel !== null) {
      this.wasBusy = true;
      if (phase === Phase.body) this.hasBrokenProtocol = true;
    }
    this.endExchange();
    if (tunnel !== null) this.owner.onExchangeEnded(ExchangeEnding.over);
    this.owner.onGone(error);
    tunnel?.onClose(error);
    exchange?.onUpstreamFailed({
      // A body that stops before its end breaks the protocol, whoever ended the connection.
      kind: phase === Phase.body ? 'protocol-error' : 'connection-termination',
      detail: error?.detail ?? 'connection closed',
      beforeResponse: phase === Phase.head && this.scanned === 0 && this.interimResponses === 0,
    });
  }

  // Parsing

  private parse(buffer: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      if (this.phase === Phase.head) at = this.parseHead(buffer, at, end);
      else if (this.phase === Phase.body) at = this.parseBody(buffer, at, end);
      else {
        if (this.tunnel !== null) this.tunnel.onData(buffer, at, end);
        return;
      }
      if (at < 0) return;
    }
    this.exchange?.onResponsePause();
  }

  private parseHead(buffer: Buffer, start: number, end: number): number {
    const result = this.scanner.scan(buffer, start, this.scanned, end - start);
    if (result === needMore) {
      this.scanned = end - start;
      this.pending = Buffer.from(buffer.subarray(start, end));
      return -1;
    }
    this.scanned = 0;
    if (result < 0)
      return this.fail(
        result === HeadError.tooLarge ? 'response headers too large' : 'invalid response head',
      );
    const { allowsChunkedLength } = this.settings;
    const error = this.head.parse(this.scanner, buffer, start, result, this.asked, allowsChunkedLength);
    this.scanner.reset();
    if (error !== ResponseError.none) return this.fail('invalid response framing');
    const status = this.head.status;
    const exchange = this.exchange!;
    if (this.switches(status)) {
      if (!this.requestEnded) return this.fail('the protocol was switched before the end of the request');
      this.phase = Phase.tunnel;
      exchange.onUpgraded(this.head);
      return start + result;
    }
    if (status < 200) {
      if (status === 101 || ++this.interimResponses > maxInterimResponses)
        return this.fail('unexpected interim response');
      exchange.onInterimResponse(this.head);
      return this.exchange === exchange ? start + result : -1;
    }
    this.phase = Phase.body;
    this.bodyLeft = this.head.contentLength;
    if (this.head.bodyKind === BodyKind.chunked) this.chunks.reset();
    exchange.onResponseHead(this.head);
    if (this.exchange !== exchange) return -1;
    if (this.head.bodyKind === BodyKind.none) this.complete(start + result < end);
    return start + result;
  }

  /** Whether the status ends HTTP on this connection: 101 where an upgrade was asked for, 2xx in answer to CONNECT. */
  private switches(status: number): boolean {
    return this.asked === ResponseKind.upgrade
      ? status === 101
      : this.asked === ResponseKind.connect && status >= 200 && status < 300;
  }

  private parseBody(buffer: Buffer, start: number, end: number): number {
    const exchange = this.exchange;
    if (exchange === null) return -1;
    switch (this.head.bodyKind) {
      case BodyKind.length: {
        const available = end - start;
        const taken = available < this.bodyLeft ? available : this.bodyLeft;
        this.bodyLeft -= taken;
        exchange.onResponseBody(buffer, start, start + taken);
        if (this.bodyLeft === 0 && this.exchange === exchange) this.complete(start + taken < end);
        return start + taken;
      }
      case BodyKind.chunked:
        return this.parseChunked(exchange, buffer, start, end);
      default:
        exchange.onResponseBody(buffer, start, end);
        return end;
    }
  }

  private parseChunked(exchange: UpstreamExchange, buffer: Buffer, start: number, end: number): number {
    const { chunks } = this;
    const wasInTrailers = chunks.isInTrailers;
    const stop = chunks.scan(buffer, start, end);
    if (stop === chunkError) return this.fail('invalid chunk framing');
    if (wasInTrailers) {
      if (this.settings.takesTrailers) {
        this.trailers ??= new TrailerReader(this.settings.maxFields);
        this.trailers.add(buffer, start, stop);
      }
    } else if (!this.unframes || chunks.tookData) {
      exchange.onResponseBody(buffer, start, stop);
    }
    if (!chunks.isDone || this.exchange !== exchange) return stop;
    const trailers = this.trailers === null ? noTrailers : this.trailers.finish();
    if (trailers === null) return this.fail('invalid trailers');
    if (trailers.length > 0) exchange.onResponseTrailers(trailers);
    if (!this.unframes) exchange.onResponseBody(lineEnd, 0, lineEnd.length);
    if (this.exchange === exchange) this.complete(stop < end);
    return stop;
  }

  /**
   * The response is complete. A connection on which more bytes follow (they would answer somebody else's request:
   * response-queue poisoning), or whose request is still on its way, carries no other exchange.
   */
  private complete(bytesFollow: boolean): void {
    const exchange = this.exchange!;
    this.endExchange();
    if (
      this.requestEnded &&
      !this.isDraining &&
      !this.head.closesConnection &&
      !bytesFollow &&
      // Its client may have sent the first bytes of a tunnel that never came to be.
      this.asked < ResponseKind.upgrade
    ) {
      this.phase = Phase.idle;
      // Paused by the response's last bytes: the next exchange could not hear its answer.
      if (this.readingPaused) this.resumeResponse();
      this.owner.onAvailable();
    } else {
      this.wasToldToClose = this.head.closesConnection;
      this.hasBrokenProtocol = bytesFollow;
      this.destroy();
    }
    exchange.onResponseEnd();
  }

  private fail(detail: string): number {
    const exchange = this.exchange;
    this.wasBusy = exchange !== null;
    this.hasBrokenProtocol = true;
    this.endExchange();
    this.destroy();
    exchange?.onUpstreamFailed({ kind: 'protocol-error', detail, beforeResponse: false });
    return -1;
  }

  private endExchange(): void {
    if (this.exchange === null) return;
    this.exchange = null;
    this.owner.onExchangeEnded(ExchangeEnding.over);
  }

  private writeBody(buffer: Buffer, start: number, end: number): boolean {
    this.bytesSent.value += end - start;
    return this.connection!.write(buffer, start, end);
  }

  private writeText(text: string): boolean {
    this.bytesSent.value += text.length;
    return this.connection!.writeLatin1(text);
  }

  private destroy(): void {
    this.phase = Phase.closed;
    this.isClosedHere = true;
    this.connection?.destroy();
  }
}
