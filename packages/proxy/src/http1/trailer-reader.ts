// Reads the fields behind a chunked body (RFC 9112 §7.1.2) by the rules of a head's fields. Only where trailers are enabled.
import { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { FieldOffset, HeadScanner, fieldStride } from './head-scanner.ts';

const noBytes = Buffer.alloc(0);

/**
 * What a trailer may not say: how long the message is, where it goes, who sent it, how it is to be read
 * (RFC 9110 §6.5.1). It would come after the decision.
 */
const forbidden: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'expect',
  'expires',
  'host',
  'http2-settings',
  'keep-alive',
  'location',
  'max-forwards',
  'pragma',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'range',
  'retry-after',
  'server',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'vary',
  'via',
  'www-authenticate',
  'x-request-id',
]);

/** True for a field that may not come behind a body. */
export function isForbiddenTrailer(lowerCaseName: string): boolean {
  return (
    forbidden.has(lowerCaseName) ||
    lowerCaseName.startsWith('x-forwarded-') ||
    lowerCaseName.startsWith('x-envoy-') ||
    // Read as `-` by CGI and WSGI, it would pass for a name that is not allowed.
    lowerCaseName.includes('_')
  );
}

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
      if (!isForbiddenTrailer(field.name)) fields.add(field);
    }
    return fields;
  }
}
