// Hot path.
import { FieldList } from '../codec/field-list.ts';
import { PendingBytes } from '../http1/pending-bytes.ts';

/** A length that is told is no reason yet to take more memory than this. */
const maxReserved = 64 * 1024;

/**
 * What of a request came before there was anywhere to send it, and what has been sent and is kept for another try. One
 * object per exchange.
 */
export class HeldRequest {
  /** Of the body, or of the tunnel that the request asks for. */
  readonly bytes = new PendingBytes();
  trailers: FieldList | null = null;
  /** All that comes is kept, whether it has been sent or not. */
  isKept = false;
  /** With more bytes of a body than this the request is not tried again; -1 for any number. */
  limit = -1;

  /** `isPartOfBody`: their place is in front of the section's end, which comes as part of a chunked body. */
  addTrailers(fields: FieldList, isPartOfBody: boolean): void {
    if (isPartOfBody) {
      const lines = Buffer.from(fields.lines(), 'latin1');
      this.bytes.add(lines, 0, lines.length);
      return;
    }
    this.trailers = new FieldList();
    this.trailers.copy(fields);
  }

  /** Keeps what comes, unless the whole body, whose length may be known (else -1), is longer than `limit`. */
  keep(limit: number, length: number): void {
    this.limit = limit;
    if (length > limit) return;
    this.isKept = true;
    if (length > 0) this.bytes.reserve(Math.min(length, maxReserved));
  }

  /** All of it has been sent, and nobody asks for it again. */
  release(): void {
    this.isKept = false;
    this.bytes.clear();
    this.trailers = null;
  }

  /** Lets go of all of it. */
  clear(): void {
    this.release();
    this.limit = -1;
  }
}
