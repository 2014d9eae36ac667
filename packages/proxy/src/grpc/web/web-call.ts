// Hot path of gRPC-Web: one object per call.
// A call that comes as gRPC-Web and goes on as gRPC: what becomes of its bodies, and of the response's head.
import type { FieldList } from '../../codec/field-list.ts';
import { Field } from '../../codec/field.ts';
import { isGrpcResponse } from '../content-type.ts';
import { encodeGrpcMessageBytes } from '../message-encoding.ts';
import { grpcStatusOfHttp } from '../status.ts';
import { Base64Decoder } from './base64-decoder.ts';
import { Base64Encoder, maxEncodedBytes } from './base64-encoder.ts';
import { isGrpcWebResponse, webContentTypes } from './web-content-type.ts';
import { webTrailers } from './web-trailers.ts';

/** More of a body than this is no message for people (Envoy's number). */
const maxMessageBytes = 16_384;

const noBody = new Field('content-length', '0');

export class WebCall {
  /** The request's body is base64: it goes through `decodeRequest`. */
  readonly isTextRequest: boolean;
  /** The response's body is to be base64: it goes through `encodeResponse`. */
  readonly isTextResponse: boolean;
  /**
   * The response isn't gRPC's and its body no messages. Its head waits for the body's end (`takeText`, `addMessage`), which
   * becomes a field of it.
   */
  isPlainResponse = false;
  private readonly decoder = new Base64Decoder();
  private readonly encoder = new Base64Encoder();
  private readonly text: Buffer[] = [];
  private textBytes = 0;

  constructor(isTextRequest: boolean, isTextResponse: boolean) {
    this.isTextRequest = isTextRequest;
    this.isTextResponse = isTextResponse;
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
   * The head of the final response, the proxy's own too; what says of what type and how long its body was is left out of it.
   * Adds the content type; sets `isPlainResponse`.
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
    into.remove('grpc-message');
    into.remove('grpc-status');
    into.add(new Field('grpc-message', encodeGrpcMessageBytes(Buffer.concat(this.text))));
    into.add(new Field('grpc-status', String(grpcStatusOfHttp(status))));
    into.add(noBody);
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
}
