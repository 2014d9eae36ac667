// Hot path of gRPC-Web.
import type { FieldList } from '../../codec/field-list.ts';
import { BodyKind } from '../../codec/message-view.ts';
import type { OutgoingResponse } from '../../codec/outgoing-response.ts';
import { StreamLayer } from '../../codec/stream-layer.ts';
import type { FilteredExchange } from '../../http/http-filter.ts';
import { maxDecodedBytes } from './base64-decoder.ts';
import { maxEncodedBytes } from './base64-encoder.ts';
import { WebCall } from './web-call.ts';
import { WebReplies } from './web-replies.ts';

/** What is decoded or encoded during one call of a method. */
let scratch = Buffer.allocUnsafeSlow(0);

function scratchOf(bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.allocUnsafeSlow(bytes);
  return scratch;
}

/** Between a client of gRPC-Web and an exchange that serves a gRPC call. */
export class WebLayer extends StreamLayer {
  private readonly exchange: FilteredExchange;
  private readonly call: WebCall;
  /** A response's head that waits for its body, which becomes part of it. */
  private heldHead: OutgoingResponse | null = null;
  private hasTrailers = false;

  constructor(exchange: FilteredExchange, isTextRequest: boolean, isTextResponse: boolean) {
    super();
    this.exchange = exchange;
    this.call = new WebCall(isTextRequest, isTextResponse);
  }

  /** A length would be that of the client's form. */
  requestBodyKind(bodyKind: number): number {
    return bodyKind === BodyKind.none ? BodyKind.none : BodyKind.untilEnd;
  }

  // LayeredExchange

  override onRequestBody(buffer: Buffer, start: number, end: number): void {
    if (!this.call.isTextRequest) {
      super.onRequestBody(buffer, start, end);
      return;
    }
    const decoded = scratchOf(maxDecodedBytes(end - start));
    const length = this.call.decodeRequest(buffer, start, end, decoded, 0);
    if (length < 0) {
      this.exchange.breakOff(WebReplies.notBase64, false);
      return;
    }
    this.exchange.bytesReceived += end - start - length;
    if (length > 0) super.onRequestBody(decoded, 0, length);
  }

  override onRequestEnd(): void {
    if (this.call.isRequestComplete) super.onRequestEnd();
    else this.exchange.breakOff(WebReplies.cutOff, false);
  }

  // ServerStream

  /** Chunks of the response would be none of the client's. */
  override get takesChunks(): boolean {
    return false;
  }

  override sendHead(response: OutgoingResponse): void {
    const { call } = this;
    const { added, status } = response;
    const isWhole = response.bodyKind === BodyKind.none;
    response.flatten();
    const contentType = added.value('content-type');
    added.remove('content-type');
    added.remove('content-length');
    call.onResponseHead(added, status, contentType, added.value('grpc-status'), isWhole);
    if (call.isPlainResponse) {
      this.heldHead = response;
      return;
    }
    if (!isWhole) response.bodyKind = BodyKind.untilEnd;
    super.sendHead(response);
  }

  override sendBody(buffer: Buffer, start: number, end: number): boolean {
    if (this.heldHead !== null) {
      this.call.takeText(buffer, start, end);
      this.exchange.bytesSent -= end - start;
      return true;
    }
    if (!this.call.isTextResponse) return super.sendBody(buffer, start, end);
    const encoded = scratchOf(maxEncodedBytes(end - start));
    const length = this.call.encodeResponse(buffer, start, end, encoded, 0);
    this.exchange.bytesSent += length - (end - start);
    return super.sendBody(encoded, 0, length);
  }

  /** They are the end of the body. */
  override sendTrailers(fields: FieldList): void {
    this.hasTrailers = true;
    if (this.heldHead === null) this.sendFinalBytes(fields);
  }

  override flush(): boolean {
    return this.heldHead !== null || super.flush();
  }

  override endResponse(): void {
    const { heldHead } = this;
    if (heldHead !== null) {
      this.call.addMessage(heldHead.added, heldHead.status);
      heldHead.bodyKind = BodyKind.none;
      super.sendHead(heldHead);
    } else if (!this.hasTrailers) {
      this.sendFinalBytes(null);
    }
    super.endResponse();
  }

  private sendFinalBytes(trailers: FieldList | null): void {
    const bytes = this.call.finalBytes(trailers);
    if (bytes.length === 0) return;
    this.exchange.bytesSent += bytes.length;
    super.sendBody(bytes, 0, bytes.length);
  }
}
