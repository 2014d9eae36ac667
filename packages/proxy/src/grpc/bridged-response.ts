// Hot path: one object per exchange that needs it, used again for the next.
// envoy.filters.http.grpc_http1_bridge: HTTP/1.1 clients that can't read trailers get the call's outcome in the response's head,
// which therefore waits for the body.
import type { FieldList } from '../codec/field-list.ts';

/** The HTTP status of calls that failed. */
const failed = 503;

/** Holds the body of a gRPC response until its trailers have come. */
export class BridgedResponse {
  private readonly maxBytes: number;
  private parts: Buffer[] = [];
  /** The body's length so far. */
  bytes = 0;

  /** `maxBytes` is the most of a body that is held: `per_connection_buffer_limit_bytes`. */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Takes part of the body; false where it has become too much, and the response is to be given up. */
  take(buffer: Buffer, start: number, end: number): boolean {
    this.bytes += end - start;
    if (this.bytes > this.maxBytes) return false;
    this.parts.push(Buffer.from(buffer.subarray(start, end)));
    return true;
  }

  /**
   * The HTTP status of a response that had `status` and ended with these trailers. They take their place in the head; its
   * `content-length` becomes `bytes`, and `body` follows.
   */
  finish(status: number, trailers: FieldList, into: FieldList): number {
    let outcome = status;
    for (let i = 0; i < trailers.length; i++) {
      const field = trailers.fields[i]!;
      if (field.name !== 'grpc-status' && field.name !== 'grpc-message') continue;
      into.add(field);
      if (field.name === 'grpc-status' && field.value !== '0') outcome = failed;
    }
    return outcome;
  }

  /** The whole body. Nothing of it is held any longer. */
  body(): Buffer {
    const body = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts);
    this.forget();
    return body;
  }

  forget(): void {
    this.parts = [];
    this.bytes = 0;
  }
}
