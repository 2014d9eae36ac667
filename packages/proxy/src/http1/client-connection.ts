// Hot path.
// One HTTP/1.1 connection to an upstream: one exchange at a time, kept alive between them.
import type { Connection, ConnectionHandler, TransportError } from '../transport/transport.ts';
import { ChunkScanner, chunkError } from './chunk-scanner.ts';
import { HeadError, HeadScanner, needMore } from './head-scanner.ts';
import { BodyKind } from './message-head.ts';
import { ResponseError, ResponseHead, ResponseKind } from './response-head.ts';
import { TrailerReader } from './trailer-reader.ts';

/** What waits for the response of one request. Calls are synchronous; bytes are valid during the call only. */
export interface UpstreamExchange {
  /** The final response's head. */
  onResponseHead(head: ResponseHead): void;
  /** An interim response (1xx but 101); the final one is still to come. */
  onInterimResponse(head: ResponseHead): void;
  /**
   * The upstream has agreed to leave HTTP: what both sides send from here on is for `startTunnel`, which has to be called
   * before this returns.
   */
  onUpgraded(head: ResponseHead): void;
  /** Part of the body; chunked bodies come with their framing unless `unframe` was called, trailers left out. */
  onResponseBody(buffer: Buffer, start: number, end: number): void;
  /** Field lines behind a chunked body, each ended by CRLF, forbidden ones left out. Only where they are enabled. */
  onResponseTrailers(lines: string): void;
  onResponseEnd(): void;
  /** All that was read at once has been told: what was held back to be joined can go out. */
  onResponsePause(): void;
  /** The upstream takes bytes again, after `writeBody` had answered false. */
  onRequestDrain(): void;
  /** No complete response will come. `isReset` tells a lost connection from a response that can't be understood. */
  onUpstreamFailed(failure: UpstreamFailure): void;
}

export interface UpstreamFailure {
  readonly kind: 'connection-termination' | 'protocol-error';
  /** For `%UPSTREAM_TRANSPORT_FAILURE_REASON%` and details. */
  readonly detail: string;
  /** Not one byte of a response had come. */
  readonly beforeResponse: boolean;
}

/** A running sum: a `Counter`, as a rule. */
export interface ByteCount {
  value: number;
}

/** Told about the life of the connection between exchanges: its pool. */
export interface ClientConnectionOwner {
  readonly bytesSent: ByteCount;
  readonly bytesReceived: ByteCount;
  onConnected(connection: ClientConnection): void;
  /** The exchange that `writeHead` began is over, one way or another; what becomes of the connection is told next. */
  onExchangeEnded(): void;
  /** The exchange is over and the connection may carry another one. */
  onReusable(connection: ClientConnection): void;
  /** The connection is gone; where it never was, `error` says why. */
  onGone(connection: ClientConnection, error: TransportError | null): void;
}

/** How responses are read, with Envoy's names and defaults. */
export interface ClientSettings {
  /** `max_response_headers_kb` in bytes. */
  readonly maxHeadBytes: number;
  /** `max_headers_count`. */
  readonly maxFields: number;
  /** `enable_trailers`: trailers are told and may be sent, otherwise they are dropped. */
  readonly takesTrailers: boolean;
}

/** Envoy's defaults for HTTP/1. */
export const defaultClientSettings: ClientSettings = {
  maxHeadBytes: 80 * 1024,
  maxFields: 100,
  takesTrailers: false,
};

/** An upstream may send this many interim responses before the final one. */
const maxInterimResponses = 16;
const noBytes = Buffer.alloc(0);
const lineEnd = Buffer.from('\r\n');

const Phase = { connecting: 0, idle: 1, head: 2, body: 3, tunnel: 4, closed: 5 } as const;

export class ClientConnection implements ConnectionHandler {
  /** Requests sent on it so far: above 1, the connection is a reused one. */
  requestCount = 0;
  /** `address:port` of this side, for access logs; empty before the connection is made. */
  localAddress = '';
  /** For the owner: how often it was found idle in a row. */
  idleSweeps = 0;
  /** For the owner: it is to carry no further exchange. */
  isTooOld = false;
  /** It was this side that ended the connection. */
  isClosedHere = false;
  /** It ended while it carried an exchange. */
  wasBusy = false;
  /** It ended because the upstream's last response said so. */
  wasToldToClose = false;
  /** It ended because the upstream's bytes were no response, or stopped in the middle of one. */
  hasBrokenProtocol = false;
  private readonly bytesSent: ByteCount;
  private readonly bytesReceived: ByteCount;
  private connection: Connection | null = null;
  private readonly owner: ClientConnectionOwner;
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
  private readingPaused = false;
  private bodyLeft = 0;
  private interimResponses = 0;
  private pending: Buffer = noBytes;
  private scanned = 0;

  constructor(owner: ClientConnectionOwner, settings: ClientSettings) {
    this.owner = owner;
    this.bytesSent = owner.bytesSent;
    this.bytesReceived = owner.bytesReceived;
    this.settings = settings;
    this.scanner = new HeadScanner(false, settings.maxHeadBytes, settings.maxFields);
  }

  /** Gives the connection its byte stream: the pool makes both, each needs the other. */
  attach(connection: Connection): void {
    this.connection = connection;
  }

  get isConnected(): boolean {
    return this.phase !== Phase.connecting && this.phase !== Phase.closed;
  }

  // For the exchange

  /** Bytes of the chunked body so far, framing left out. */
  get chunkedBytes(): number {
    return this.chunks.dataBytes;
  }

  /** Sends a request's head for `exchange`, which is told everything that follows. `asked` is a `ResponseKind`. */
  writeHead(exchange: UpstreamExchange, text: string, asked: number): boolean {
    this.exchange = exchange;
    this.asked = asked;
    this.unframes = false;
    this.requestEnded = false;
    this.interimResponses = 0;
    this.requestCount++;
    this.phase = Phase.head;
    this.scanned = 0;
    this.scanner.reset();
    this.bytesSent.value += text.length;
    return this.connection!.writeLatin1(text);
  }

  /** Sends part of the body, framing included. False: wait for `onRequestDrain`. */
  writeBody(buffer: Buffer, start: number, end: number): boolean {
    this.bytesSent.value += end - start;
    return this.connection!.write(buffer, start, end);
  }

  /** Sends text that belongs to the body: trailers. */
  writeText(text: string): boolean {
    this.bytesSent.value += text.length;
    return this.connection!.writeLatin1(text);
  }

  /** Has the chunked body whose head is being told come without its framing. */
  unframe(): void {
    this.unframes = true;
    this.chunks.reset(true);
  }

  /**
   * Gives the bytes to `handler`, in answer to `onUpgraded`; the connection that it may write to. The exchange goes on
   * until the connection's end.
   */
  startTunnel(handler: ConnectionHandler): Connection {
    this.tunnel = handler;
    this.exchange = null;
    return this.connection!;
  }

  /** The request is complete. */
  endRequest(): void {
    this.requestEnded = true;
  }

  pauseResponse(): void {
    this.readingPaused = true;
    this.connection?.pauseReading();
  }

  resumeResponse(): void {
    this.readingPaused = false;
    this.connection?.resumeReading();
  }

  /** Gives the exchange up: the connection can't be reused, since its answer would come to somebody else. */
  abandon(): void {
    this.wasBusy = this.exchange !== null;
    this.endExchange();
    this.destroy();
  }

  /** Closes the connection; an exchange that it carries fails. */
  close(): void {
    this.isClosedHere = true;
    this.connection?.destroy();
  }

  // ConnectionHandler

  onConnect(): void {
    const { localAddress, localPort } = this.connection!;
    this.localAddress = `${localAddress}:${localPort}`;
    this.phase = Phase.idle;
    this.owner.onConnected(this);
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
    if (this.phase === Phase.body && this.head.bodyKind === BodyKind.untilClose) {
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
    if ((exchange !== null || tunnel !== null) && phase !== Phase.connecting) {
      this.wasBusy = true;
      if (phase === Phase.body) this.hasBrokenProtocol = true;
    }
    this.endExchange();
    if (tunnel !== null) this.owner.onExchangeEnded();
    this.owner.onGone(this, phase === Phase.connecting ? (error ?? notConnected) : null);
    tunnel?.onClose(error);
    if (exchange !== null && phase !== Phase.connecting) {
      const beforeResponse = phase === Phase.head && this.scanned === 0 && this.interimResponses === 0;
      exchange.onUpstreamFailed({
        kind: 'connection-termination',
        detail: error?.detail ?? 'connection closed',
        beforeResponse,
      });
    }
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
    const error = this.head.parse(this.scanner, buffer, start, result, this.asked);
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
    const lines = this.trailers === null ? '' : this.trailers.finish();
    if (lines === null) return this.fail('invalid trailers');
    if (lines !== '') exchange.onResponseTrailers(lines);
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
      !this.head.closesConnection &&
      !bytesFollow &&
      // Its client may have sent the first bytes of a tunnel that never came to be.
      this.asked < ResponseKind.upgrade
    ) {
      this.phase = Phase.idle;
      // Paused by the response's last bytes: the next exchange could not hear its answer.
      if (this.readingPaused) this.resumeResponse();
      this.owner.onReusable(this);
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
    this.owner.onExchangeEnded();
  }

  private destroy(): void {
    this.phase = Phase.closed;
    this.isClosedHere = true;
    this.connection?.destroy();
  }
}

const notConnected: TransportError = Object.freeze({
  kind: 'connect-failed',
  detail: 'the connection was not made',
});
