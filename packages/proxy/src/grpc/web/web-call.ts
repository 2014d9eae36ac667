// Hot path: one object per exchange, used again for the next.
// A call that comes as gRPC-Web and goes on as gRPC (envoy.filters.http.grpc_web). The exchange asks what becomes of heads and
// hands bodies through; CORS is another filter's.
import type { FieldList } from '../../codec/field-list.ts';
import { Field } from '../../codec/field.ts';
import { grpcContentType, isGrpcResponse } from '../content-type.ts';
import { encodeGrpcMessageBytes } from '../message-encoding.ts';
import { grpcStatusOfHttp } from '../status.ts';
import { Base64Decoder } from './base64-decoder.ts';
import { Base64Encoder, maxEncodedBytes } from './base64-encoder.ts';
import {
  isGrpcWebContentType,
  isGrpcWebResponse,
  isGrpcWebText,
  webContentTypes,
} from './web-content-type.ts';
import { webTrailers } from './web-trailers.ts';

/** Fields of the request that don't go on as they came; `onRequestHead` adds what takes their place. */
export const replacedRequestFields: readonly string[] = ['content-type', 'content-length', 'te'];

/** Fields of the response that don't go on as they came, the proxy's own answers included. */
export const replacedResponseFields: readonly string[] = ['content-type', 'content-length'];

/** More of a body than this is no message for people (Envoy's number). */
const maxMessageBytes = 16_384;

const requestType = new Field('content-type', grpcContentType);
const trailersAccepted = new Field('te', 'trailers');
const noCompression = new Field('grpc-accept-encoding', 'identity');
const noBody = new Field('content-length', '0');

export class WebCall {
  /** The call came as gRPC-Web; everything below is for such calls. */
  isActive = false;
  /** The request's body is base64: it goes through `decodeRequest`. */
  isTextRequest = false;
  /** The response's body is to be base64: it goes through `encodeResponse`. */
  isTextResponse = false;
  /**
   * The response isn't gRPC's and its body no messages. Its head waits for the body's end (`takeText`, `addMessage`), which
   * becomes a field of it.
   */
  isPlainResponse = false;
  private readonly decoder = new Base64Decoder();
  private readonly encoder = new Base64Encoder();
  private text: Buffer[] = [];
  private textBytes = 0;

  /** The next request. False where it isn't gRPC-Web's. Fields that are absent are null. */
  begin(contentType: string | null, accept: string | null): boolean {
    this.isPlainResponse = false;
    this.isActive = isGrpcWebContentType(contentType);
    if (!this.isActive) return false;
    this.isTextRequest = isGrpcWebText(contentType);
    this.isTextResponse = isGrpcWebText(accept);
    this.decoder.reset();
    this.encoder.reset();
    this.forgetText();
    return true;
  }

  /** Adds the fields of the request that goes on; `replacedRequestFields` of the one that came are left out. */
  onRequestHead(into: FieldList, hasAcceptEncoding: boolean): void {
    into.add(requestType);
    into.add(trailersAccepted);
    if (!hasAcceptEncoding) into.add(noCompression);
  }

  /** Decodes part of the request's body, as `Base64Decoder.decode`; -1 where it is none: `WebReplies.notBase64` is the answer. */
  decodeRequest(input: Uint8Array, start: number, end: number, output: Uint8Array, at: number): number {
    return this.decoder.decode(input, start, end, output, at);
  }

  /** Whether the request's body may end here; if not, `WebReplies.cutOff` is the answer. */
  get isRequestComplete(): boolean {
    return !this.isTextRequest || this.decoder.isComplete;
  }

  /**
   * The head of the final response, the proxy's own too, for which `grpcStatus` is null. Adds the content type; sets
   * `isPlainResponse`.
   */
  onResponseHead(
    into: FieldList,
    status: number,
    contentType: string | null,
    grpcStatus: string | null,
    endStream: boolean,
  ): void {
    into.add(this.isTextResponse ? webContentTypes.text : webContentTypes.binary);
    this.isPlainResponse =
      !endStream &&
      !isGrpcResponse(status, contentType, grpcStatus, false) &&
      !isGrpcWebResponse(status, contentType);
  }

  /** Takes part of a plain response's body. What is too much for a message is dropped. */
  takeText(buffer: Buffer, start: number, end: number): void {
    const bytes = Math.min(end - start, maxMessageBytes - this.textBytes);
    if (bytes <= 0) return;
    this.text.push(Buffer.from(buffer.subarray(start, start + bytes)));
    this.textBytes += bytes;
  }

  /** A plain response is complete: adds what was its body to the head, which then is all of it. */
  addMessage(into: FieldList, status: number): void {
    into.add(new Field('grpc-message', encodeGrpcMessageBytes(Buffer.concat(this.text))));
    into.add(new Field('grpc-status', String(grpcStatusOfHttp(status))));
    into.add(noBody);
    this.forgetText();
  }

  /** Encodes part of the response's body, as `Base64Encoder.encode`. */
  encodeResponse(input: Uint8Array, start: number, end: number, output: Uint8Array, at: number): number {
    return this.encoder.encode(input, start, end, output, at);
  }

  /**
   * The last bytes of the response's body: its trailers, as the client reads them. Null for a response without any, which
   * leaves what `encodeResponse` kept of a message that broke off.
   */
  finalBytes(trailers: FieldList | null): Buffer {
    const frame = trailers === null ? null : webTrailers(trailers);
    if (!this.isTextResponse) return frame ?? Buffer.alloc(0);
    const text = Buffer.allocUnsafe(maxEncodedBytes(frame?.length ?? 0));
    let at = this.encoder.finish(text, 0);
    // A frame like any other but for its flag, and so a piece of its own.
    if (frame !== null) at += text.write(frame.toString('base64'), at, 'latin1');
    return text.subarray(0, at);
  }

  private forgetText(): void {
    this.text = [];
    this.textBytes = 0;
  }
}
