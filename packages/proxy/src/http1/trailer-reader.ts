// Reads the fields behind a chunked body (RFC 9112 §7.1.2) by the rules of a head's fields. Only where trailers are enabled.
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

function isForbidden(lowerCaseName: string): boolean {
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
  private bytes: Buffer = noBytes;

  constructor(maxFields: number) {
    this.scanner = new HeadScanner(true, Infinity, maxFields);
  }

  /** Takes the next part of the section, its last empty line included. */
  add(buffer: Buffer, start: number, end: number): void {
    const part = buffer.subarray(start, end);
    this.bytes = this.bytes.length === 0 ? Buffer.from(part) : Buffer.concat([this.bytes, part]);
  }

  /** The section is complete: its lines without the forbidden ones, each ended by CRLF, or null where it is no valid one. */
  finish(): string | null {
    const { bytes, scanner } = this;
    this.bytes = noBytes;
    scanner.resetToFields();
    if (scanner.scan(bytes, 0, 0, bytes.length) !== bytes.length) return null;
    const text = bytes.toString('latin1');
    let lines = '';
    for (let index = 0; index < scanner.fieldCount; index++) {
      const at = index * fieldStride;
      const name = text.slice(
        scanner.fields[at + FieldOffset.nameStart],
        scanner.fields[at + FieldOffset.nameEnd],
      );
      if (isForbidden(name.toLowerCase())) continue;
      lines += `${name}: ${text.slice(scanner.fields[at + FieldOffset.valueStart], scanner.fields[at + FieldOffset.valueEnd])}\r\n`;
    }
    return lines;
  }
}
