// Hot path of bridged calls.
import { FieldList } from '../../codec/field-list.ts';
import { Field } from '../../codec/field.ts';
import { BodyKind } from '../../codec/message-view.ts';
import type { OutgoingResponse } from '../../codec/outgoing-response.ts';
import { StreamLayer } from '../../codec/stream-layer.ts';
import type { FilteredExchange } from '../../http/http-filter.ts';
import { LocalReplies } from '../../http/response-flags.ts';
import { PendingBytes } from '../../http1/pending-bytes.ts';
import type { ConnectionManagerMetrics } from '../../stats/connection-manager-metrics.ts';
import { messagePrefixBytes } from '../message-counter.ts';
import { addOutcome } from './call-outcome.ts';

/** In front of a message: not compressed, its length to be filled in. */
const emptyPrefix = Buffer.alloc(messagePrefixBytes);

/** Between a client of HTTP/1, which reads no trailers, and an exchange that serves a gRPC call. */
export class BridgeLayer extends StreamLayer {
  private readonly exchange: FilteredExchange;
  private readonly metrics: ConnectionManagerMetrics;
  /** The client's bodies are bare messages, one each. */
  private readonly isBare: boolean;
  /** A bare message and what goes in front of it: its length is known at its end. */
  private readonly message = new PendingBytes();
  /** The response's body, which waits for the trailers. */
  private readonly body = new PendingBytes();
  /** The head in front of it. */
  private heldHead: OutgoingResponse | null = null;
  /** Behind it: for who may stand between here and the client. */
  private readonly trailers = new FieldList();
  /** Bytes at the beginning of the response's body that the client doesn't get. */
  private stripped = 0;

  constructor(exchange: FilteredExchange, metrics: ConnectionManagerMetrics, isBare: boolean) {
    super();
    this.exchange = exchange;
    this.metrics = metrics;
    this.isBare = isBare;
    if (isBare) this.message.add(emptyPrefix, 0, messagePrefixBytes);
  }

  requestBodyKind(bodyKind: number): number {
    return this.isBare ? BodyKind.untilEnd : bodyKind;
  }

  // LayeredExchange

  override onRequestBody(buffer: Buffer, start: number, end: number): void {
    const { message, exchange } = this;
    if (!this.isBare) {
      super.onRequestBody(buffer, start, end);
    } else if (message.length + end - start - messagePrefixBytes > exchange.bufferLimitBytes) {
      this.metrics.requestsTooLarge.value++;
      exchange.breakOff(LocalReplies.tooLarge, false);
    } else {
      message.add(buffer, start, end);
    }
  }

  override onRequestTrailers(fields: FieldList): void {
    this.sendMessage();
    super.onRequestTrailers(fields);
  }

  override onRequestEnd(): void {
    this.sendMessage();
    super.onRequestEnd();
  }

  // ServerStream

  /** The response waits without its framing. */
  override get takesChunks(): boolean {
    return false;
  }

  override sendHead(response: OutgoingResponse): void {
    if (response.bodyKind === BodyKind.none) {
      super.sendHead(response);
      return;
    }
    response.flatten();
    this.heldHead = response;
  }

  override sendBody(buffer: Buffer, start: number, end: number): boolean {
    const { body, exchange } = this;
    if (body.length + end - start > exchange.bufferLimitBytes) {
      this.metrics.responsesTooLarge.value++;
      this.heldHead = null;
      body.clear();
      exchange.breakOff(LocalReplies.responseTooLarge, true);
    } else {
      body.add(buffer, start, end);
    }
    return true;
  }

  override sendTrailers(fields: FieldList): void {
    const { heldHead, body, exchange } = this;
    if (heldHead === null) return;
    const { added } = heldHead;
    this.trailers.copy(fields);
    heldHead.status = addOutcome(heldHead.status, fields, added);
    exchange.responseCode = heldHead.status;
    if (this.isBare) this.stripped = Math.min(messagePrefixBytes, body.length);
    exchange.bytesSent -= this.stripped;
    added.remove('content-length');
    added.add(new Field('content-length', String(body.length - this.stripped)));
    heldHead.bodyKind = BodyKind.length;
  }

  override flush(): boolean {
    return this.heldHead !== null || super.flush();
  }

  override endResponse(): void {
    const { heldHead, body, stripped } = this;
    if (heldHead !== null) {
      super.sendHead(heldHead);
      if (body.length > stripped) super.sendBody(body.bytes, stripped, body.length);
      if (this.trailers.length > 0) super.sendTrailers(this.trailers);
    }
    super.endResponse();
  }

  private sendMessage(): void {
    const { message } = this;
    if (message.length === 0) return;
    const { bytes, length } = message;
    message.clear();
    bytes.writeUInt32BE(length - messagePrefixBytes, 1);
    this.exchange.bytesReceived -= messagePrefixBytes;
    super.onRequestBody(bytes, 0, length);
  }
}
