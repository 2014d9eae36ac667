// Reads the fields behind a chunked body (RFC 9112 §7.1.2) by the rules of a head's fields. Only where trailers are enabled.
import { isForbiddenTrailer } from '../codec/forbidden-trailers.ts';
import { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { FieldOffset, HeadScanner, fieldStride } from './head-scanner.ts';

const noBytes = Buffer.alloc(0);

/** Collects one trailer section after the other. The section's size is the chunk scanner's to limit. */
export class TrailerReader {
  private readonly scanner: HeadScanner;
  private readonly fields = new FieldList();
  private bytes: Buffer = noBytes;

  constructor(maxFields: number) {
    this.scanner = new HeadScanner(true, Infinity, maxFields);
  }

  /** Takes the next part of the section, its last empty line included. */
  add(buffer: Buffer, start: number, end: number): void {
    const part = buffer.subarray(start, end);
    this.bytes = this.bytes.length === 0 ? Buffer.from(part) : Buffer.concat([this.bytes, part]);
  }

  /** Forgets a section that did not come to its end. */
  clear(): void {
    this.bytes = noBytes;
  }

  /**
   * The section is complete: its fields without the forbidden ones, valid until the next one is finished, or null where it
   * is no valid section.
   */
  finish(): FieldList | null {
    const { bytes, scanner, fields } = this;
    this.bytes = noBytes;
    fields.clear();
    scanner.resetToFields();
    if (scanner.scan(bytes, 0, 0, bytes.length) !== bytes.length) return null;
    const text = bytes.toString('latin1');
    const part = (index: number, start: number, end: number): string =>
      text.slice(scanner.fields[index * fieldStride + start], scanner.fields[index * fieldStride + end]);
    for (let index = 0; index < scanner.fieldCount; index++) {
      const field = Field.asItCame(
        part(index, FieldOffset.nameStart, FieldOffset.nameEnd),
        part(index, FieldOffset.valueStart, FieldOffset.valueEnd),
      );
      // An `_` is read as `-` by CGI and WSGI: it would pass for a name that is not allowed.
      if (!isForbiddenTrailer(field) && !field.name.includes('_')) fields.add(field);
    }
    return fields;
  }
}
