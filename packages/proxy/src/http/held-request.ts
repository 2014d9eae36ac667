// Hot path.
import { FieldList } from '../codec/field-list.ts';
import { PendingBytes } from '../http1/pending-bytes.ts';

/** What of a request came before there was anywhere to send it. One object per exchange. */
export class HeldRequest {
  /** Of the body, or of the tunnel that the request asks for. */
  readonly bytes = new PendingBytes();
  trailers: FieldList | null = null;

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

  /** Lets go of all of it. */
  clear(): void {
    this.bytes.clear();
    this.trailers = null;
  }
}
