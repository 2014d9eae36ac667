// Hot path.
// A client's stream of HTTP/2 as the exchange that serves its request sees it.
import { uncounted } from '../codec/byte-count.ts';
import { dropForbiddenTrailers } from '../codec/forbidden-trailers.ts';
import { FieldList } from '../codec/field-list.ts';
import { FieldId } from '../codec/field-name.ts';
import { Field } from '../codec/field.ts';
import type { OutgoingResponse } from '../codec/outgoing-response.ts';
import type { ExchangeSource, ServerExchange, ServerStream } from '../codec/server-stream.ts';
import type { ByteStream, Connection, ConnectionHandler } from '../transport/transport.ts';
import { ErrorCode } from './error-code.ts';
import type { Http2Stream } from './http2-stream.ts';
import { StreamBytes } from './stream-bytes.ts';
import { Http2RequestHead } from './request-head.ts';
import { type Http2StreamHandler, ResetCause, type StreamReset } from './stream-handler.ts';

/** Who looks after the connection that the stream is one of. */
export interface ServedStreamOwner {
  readonly connection: Connection;
  readonly exchanges: ExchangeSource;
  /** `proxy_100_continue`: the upstream answers `Expect: 100-continue`, not the proxy. */
  readonly forwardsExpectation: boolean;
  /** The head of a final response is about to go out. */
  onResponse(): void;
  countResponse(status: number): void;
}

const continueHead = FieldList.of(new Field(':status', '100'));
/** What is sent next: built, encoded and forgotten within one call. */
const outgoing = new FieldList();
/** `:status` fields that were needed once. */
const statusFields: (Field | undefined)[] = [];

function statusField(status: number): Field {
  return (statusFields[status] ??= new Field(':status', String(status)));
}

/** Adds the head of `response` to `list`, without what only HTTP/1 knows (RFC 9113 §8.2.2). */
function writeHead(response: OutgoingResponse, status: number, list: FieldList): void {
  list.clear();
  list.add(statusField(status));
  const { head, filter, added } = response;
  if (head !== null && filter !== null) head.keptFields(filter, response.replaced, list);
  for (let i = 0; i < added.length; i++) list.add(added.fields[i]!);
  removeConnectionSpecific(list);
}

function removeConnectionSpecific(list: FieldList): void {
  let kept = 0;
  for (let i = 0; i < list.length; i++) {
    const field = list.fields[i]!;
    const id = field.fieldId;
    if (
      id !== FieldId.transferEncoding &&
      id !== FieldId.connection &&
      id !== FieldId.keepAlive &&
      id !== FieldId.proxyConnection &&
      id !== FieldId.upgrade
    ) {
      list.fields[kept++] = field;
    }
  }
  list.length = kept;
}

/** One request and its response. */
export class ServedStream implements ServerStream, Http2StreamHandler {
  readonly takesChunks = false;
  /** The connection counts what it sends. */
  readonly tunnelSent = uncounted;
  isRequestComplete = false;
  bodyBytes = 0;
  private readonly owner: ServedStreamOwner;
  private readonly stream: Http2Stream;
  private readonly head = new Http2RequestHead();
  /** Until its response is complete. */
  private exchange: ServerExchange | null = null;
  private hasSentTrailers = false;

  constructor(owner: ServedStreamOwner, stream: Http2Stream) {
    this.owner = owner;
    this.stream = stream;
  }

  get connection(): Connection {
    return this.owner.connection;
  }

  // Http2StreamHandler

  onHeaders(fields: FieldList, endStream: boolean): void {
    const { head, owner } = this;
    this.isRequestComplete = endStream;
    head.take(fields, !endStream);
    if (head.expectsContinue && !owner.forwardsExpectation && !endStream) {
      owner.countResponse(100);
      this.stream.sendInformational(continueHead);
    }
    this.exchange = owner.exchanges.take(this);
    this.exchange.onRequestHead(head);
  }

  onInformational(): void {
    // Only servers send them.
  }

  onData(buffer: Buffer, start: number, end: number, endStream: boolean): void {
    this.bodyBytes += end - start;
    if (endStream) this.isRequestComplete = true;
    if (start < end) this.exchange?.onRequestBody(buffer, start, end);
  }

  onTrailers(fields: FieldList): void {
    this.isRequestComplete = true;
    if (this.exchange === null) return;
    dropForbiddenTrailers(fields);
    if (fields.length > 0) this.exchange.onRequestTrailers(fields);
  }

  onEnd(): void {
    this.isRequestComplete = true;
    this.exchange?.onRequestEnd();
  }

  onDrain(): void {
    this.exchange?.onResponseDrain();
  }

  onClosed(): void {
    this.giveBack();
  }

  onReset(reset: StreamReset): void {
    const isLost = reset.cause === ResetCause.connectionLost;
    this.exchange?.onClientGone(isLost ? 'downstream_remote_disconnect' : reset.detail);
    this.giveBack();
  }

  // ServerStream

  serveBy(exchange: ServerExchange): void {
    this.exchange = exchange;
  }

  endConnection(): void {
    // The other streams of the connection have done nothing.
  }

  unframeRequest(): void {
    // It comes without chunks.
  }

  sendHead(response: OutgoingResponse): void {
    this.owner.onResponse();
    // What has become another protocol says so with 200 (RFC 8441 §5).
    const status = response.upgrade === '' ? response.status : 200;
    writeHead(response, status, outgoing);
    this.stream.sendHeaders(outgoing, false);
  }

  sendInterim(response: OutgoingResponse): void {
    writeHead(response, response.status, outgoing);
    this.owner.countResponse(response.status);
    this.stream.sendInformational(outgoing);
  }

  sendBody(buffer: Buffer, start: number, end: number): boolean {
    return this.stream.sendData(buffer, start, end, false);
  }

  sendTrailers(fields: FieldList): void {
    this.hasSentTrailers = true;
    this.stream.sendTrailers(fields);
  }

  flush(): boolean {
    return true;
  }

  endResponse(): void {
    const { stream } = this;
    this.giveBack();
    if (!this.hasSentTrailers) stream.endStream();
    if (!this.isRequestComplete) stream.discardIncoming();
  }

  abort(): void {
    this.giveBack();
    this.stream.reset(ErrorCode.internalError);
  }

  pauseRequest(): void {
    this.stream.pauseReading();
  }

  resumeRequest(): void {
    this.stream.resumeReading();
  }

  startTunnel(handler: ConnectionHandler): ByteStream {
    this.stream.resumeReading();
    // The exchange is told of the tunnel's end, too.
    const bytes = new StreamBytes(this.stream, handler, null, () => this.giveBack());
    // Told already, to the exchange.
    if (this.isRequestComplete) handler.onEnd();
    return bytes;
  }

  private giveBack(): void {
    const { exchange } = this;
    this.exchange = null;
    if (exchange !== null) this.owner.exchanges.giveBack(exchange);
  }
}
