// Hot path. Objects are used again: a connection has as many as it carried streams at once.
import {
  type ClientStream,
  ResponseKind,
  type UpstreamExchange,
  type UpstreamFailure,
} from '../codec/client-stream.ts';
import { uncounted } from '../codec/byte-count.ts';
import { dropForbiddenTrailers } from '../codec/forbidden-trailers.ts';
import { FieldList } from '../codec/field-list.ts';
import { BodyKind } from '../codec/message-view.ts';
import type { OutgoingRequest } from '../codec/outgoing-request.ts';
import type { ByteStream, ConnectionHandler } from '../transport/transport.ts';
import { ErrorCode } from './error-code.ts';
import type { Http2Stream } from './http2-stream.ts';
import { addRequest } from './outgoing-fields.ts';
import { Http2ResponseHead } from './response-head.ts';
import { StreamBytes } from './stream-bytes.ts';
import type { Http2StreamHandler, StreamReset } from './stream-handler.ts';
import { upstreamFailure } from './upstream-failure.ts';
import { acceptOf } from '../codec/websocket-accept.ts';

/** What a stream asks of the connection that it belongs to. */
export interface ClientStreamOwner {
  readonly localAddress: string;
  /** Whether the peer takes extended CONNECT; null while it hasn't said so, in which case `sendHeldHead` is to be called once it has. */
  readonly takesUpgrades: boolean | null;
  holdHead(stream: Http2ClientStream): void;
  /** `onReadEnd` is to be called when all that came at once has been told. */
  onResponsePart(stream: Http2ClientStream): void;
  /**
   * The exchange is over. `reset`: how the stream was cut off, but for those that its exchange gave up, for which it is null.
   * `isComplete`: the request went out and the response came.
   */
  onExchangeEnded(reset: StreamReset | null, isComplete: boolean): void;
  /** Nobody knows the stream any more: it may be opened for another request. */
  onFree(stream: Http2ClientStream): void;
}

const noBytes = Buffer.alloc(0);
/** The head that is being sent. */
const outgoing = new FieldList();

/** One request's way to an upstream that speaks HTTP/2. */
export class Http2ClientStream implements ClientStream, Http2StreamHandler {
  isReused = false;
  /** Where there are no chunks. */
  readonly chunkedBytes = 0;
  readonly wantsWebSocketKey = false;
  /** The connection counts what it sends. */
  readonly tunnelSent = uncounted;
  private readonly owner: ClientStreamOwner;
  private stream!: Http2Stream;
  private exchange: UpstreamExchange | null = null;
  private readonly head = new Http2ResponseHead();
  private asked: number = ResponseKind.usual;
  /** What an extended CONNECT asks for. */
  private upgrade = '';
  /** The `Sec-WebSocket-Accept` that goes with what was asked; null where nothing was. */
  private accept: string | null = null;
  /** A head that waits for the peer's SETTINGS. */
  private heldHead: FieldList | null = null;
  private heldBody: Buffer = noBytes;
  /** The owner is to call `onReadEnd`. */
  private awaitsReadEnd = false;

  constructor(owner: ClientStreamOwner) {
    this.owner = owner;
  }

  /** Gives it a stream of which it is the handler. `isReused`: of a connection that has carried another one. */
  open(stream: Http2Stream, isReused: boolean): void {
    this.stream = stream;
    this.isReused = isReused;
    this.heldHead = null;
    this.heldBody = noBytes;
  }

  // ClientStream

  get localAddress(): string {
    return this.owner.localAddress;
  }

  sendHead(exchange: UpstreamExchange, request: OutgoingRequest, asked: number): boolean {
    this.exchange = exchange;
    this.asked = asked;
    outgoing.clear();
    addRequest(request, asked, outgoing);
    if (asked === ResponseKind.upgrade && !this.prepareUpgrade(request)) return false;
    // The bytes of a tunnel follow, if anything does.
    const hasEnded = asked < ResponseKind.upgrade && request.bodyKind === BodyKind.none;
    this.stream.sendHeaders(outgoing, hasEnded);
    return true;
  }

  sendBody(buffer: Buffer, start: number, end: number): boolean {
    if (start === end) return true;
    if (this.heldHead !== null) {
      this.heldBody = Buffer.concat([this.heldBody, buffer.subarray(start, end)]);
      return false;
    }
    return this.stream.sendData(buffer, start, end, false);
  }

  sendTrailers(fields: FieldList): void {
    if (this.asked < ResponseKind.upgrade) this.stream.sendTrailers(fields);
  }

  endRequest(): void {
    if (this.asked < ResponseKind.upgrade && !this.stream.hasEnded) this.stream.endStream();
  }

  unframeResponse(): void {
    // Bodies have no framing of their own.
  }

  pauseResponse(): void {
    this.stream.pauseReading();
  }

  resumeResponse(): void {
    this.stream.resumeReading();
  }

  abandon(): void {
    if (this.exchange === null) return;
    this.stream.reset(ErrorCode.cancel);
    this.endExchange(null, false);
    this.owner.onFree(this);
  }

  startTunnel(handler: ConnectionHandler): ByteStream {
    const onEnded = (reset: StreamReset | null, isComplete: boolean): void =>
      this.endExchange(reset, isComplete);
    return new StreamBytes(this.stream, handler, onEnded, null);
  }

  /** The peer has said whether it takes what the held head asks for. */
  sendHeldHead(): void {
    const { heldHead, heldBody, exchange } = this;
    if (heldHead === null || exchange === null) return;
    this.heldHead = null;
    this.heldBody = noBytes;
    if (this.owner.takesUpgrades !== true) {
      this.stream.reset(ErrorCode.cancel);
      this.endExchange(null, false);
      exchange.onUpstreamFailed(noUpgrades);
      this.owner.onFree(this);
      return;
    }
    this.stream.sendHeaders(heldHead, false);
    if (this.sendBody(heldBody, 0, heldBody.length)) exchange.onRequestDrain();
  }

  /** What had come was told. */
  onReadEnd(): void {
    this.awaitsReadEnd = false;
    this.exchange?.onResponsePause();
  }

  // Http2StreamHandler

  onHeaders(fields: FieldList, endStream: boolean): void {
    const { head, asked } = this;
    const exchange = this.exchange!;
    head.read(fields, asked, endStream);
    const { status } = head;
    if (asked >= ResponseKind.upgrade && status >= 200 && status < 300) {
      if (asked === ResponseKind.upgrade) head.becomeUpgrade(this.upgrade, this.accept);
      exchange.onUpgraded(head);
      return;
    }
    exchange.onResponseHead(head);
    if (!endStream) this.awaitReadEnd();
  }

  onInformational(fields: FieldList): void {
    this.head.read(fields, this.asked, false);
    this.exchange!.onInterimResponse(this.head);
  }

  onData(buffer: Buffer, start: number, end: number): void {
    this.exchange!.onResponseBody(buffer, start, end);
    this.awaitReadEnd();
  }

  onTrailers(fields: FieldList): void {
    dropForbiddenTrailers(fields);
    if (fields.length > 0) this.exchange!.onResponseTrailers(fields);
  }

  onEnd(): void {
    const exchange = this.exchange!;
    // A response may come before the end of the request, of which nobody wants the rest.
    const isComplete = this.stream.hasEnded;
    if (!isComplete) this.stream.reset(ErrorCode.cancel);
    this.endExchange(null, isComplete);
    exchange.onResponseEnd();
    if (!isComplete) this.owner.onFree(this);
  }

  onDrain(): void {
    this.exchange?.onRequestDrain();
  }

  onClosed(): void {
    // The exchange has ended with the response.
    this.owner.onFree(this);
  }

  onReset(reset: StreamReset, beforeResponse: boolean): void {
    const { exchange } = this;
    if (exchange !== null) {
      this.endExchange(reset, false);
      exchange.onUpstreamFailed(upstreamFailure(reset, beforeResponse));
    }
    this.owner.onFree(this);
  }

  /** True where the head that has been put together can be sent now. */
  private prepareUpgrade(request: OutgoingRequest): boolean {
    this.upgrade = request.upgrade;
    const key = request.upgrade === 'websocket' ? request.head.header('sec-websocket-key') : null;
    this.accept = key === null ? null : acceptOf(key);
    if (this.owner.takesUpgrades !== null) return true;
    this.heldHead = new FieldList();
    this.heldHead.copy(outgoing);
    this.owner.holdHead(this);
    return false;
  }

  private awaitReadEnd(): void {
    if (this.awaitsReadEnd) return;
    this.awaitsReadEnd = true;
    this.owner.onResponsePart(this);
  }

  /** The exchange is over, the stream perhaps not yet. */
  private endExchange(reset: StreamReset | null, isComplete: boolean): void {
    if (this.exchange === null) return;
    this.exchange = null;
    this.owner.onExchangeEnded(reset, isComplete);
  }
}

const noUpgrades: UpstreamFailure = Object.freeze({
  kind: 'refused',
  detail: 'the upstream takes no extended CONNECT',
  beforeResponse: true,
});
