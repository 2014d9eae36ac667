// Hot path.
import { latin1 } from '../transport/latin1.ts';
import { FieldId } from '../codec/field-name.ts';
import { FieldOffset, type HeadScanner, fieldStride } from './head-scanner.ts';

/** How long a body is and how its end is known (RFC 9112 §6.3). */
export const BodyKind = { none: 0, length: 1, chunked: 2, untilClose: 3 } as const;

const emptyFields = new Int32Array(0);

/** The part that request and response heads share: one string for the whole head and the positions of its fields. */
export class MessageHead {
  /** The head as it came, latin1: one character per byte. */
  text = '';
  fields: Int32Array = emptyFields;
  fieldCount = 0;
  fieldsStart = 0;
  minorVersion = 1;
  bodyKind: number = BodyKind.none;
  /** Bytes of the body where `bodyKind` is `length`. */
  contentLength = 0;
  /** The peer wants the connection closed after this message. */
  closesConnection = false;
  /** A `Connection` field is there: nominated fields have to be looked for when forwarding. */
  hasConnectionField = false;

  /** Lets go of the head. */
  clear(): void {
    this.text = '';
    this.fields = emptyFields;
    this.fieldCount = 0;
  }

  /** Takes over what the scanner found in `buffer[base, base + length)`. */
  protected take(scanner: HeadScanner, buffer: Buffer, base: number, length: number): void {
    this.text = latin1(buffer, base, base + length);
    this.fields = scanner.fields;
    this.fieldCount = scanner.fieldCount;
    this.fieldsStart = scanner.fieldsStart;
    this.minorVersion = scanner.minorVersion;
    this.bodyKind = BodyKind.none;
    this.contentLength = 0;
    this.closesConnection = scanner.minorVersion === 0;
    this.hasConnectionField = false;
  }

  /** The value of the field at `index`, as it came. */
  fieldValue(index: number): string {
    const at = index * fieldStride;
    return this.text.slice(this.fields[at + FieldOffset.valueStart], this.fields[at + FieldOffset.valueEnd]);
  }

  /** The name of the field at `index`, as it came. */
  fieldName(index: number): string {
    const at = index * fieldStride;
    return this.text.slice(this.fields[at + FieldOffset.nameStart], this.fields[at + FieldOffset.nameEnd]);
  }

  /** The `FieldId` of the field at `index`. */
  fieldId(index: number): number {
    return this.fields[index * fieldStride + FieldOffset.id]!;
  }

  /**
   * True where the field at `index` says `chunked`. Written in capitals, it goes on in small letters: not every recipient
   * compares it without case, and one that doesn't would read the body as the next request.
   */
  protected isChunkedCoding(index: number): boolean {
    const value = this.fieldValue(index);
    if (value === 'chunked') return true;
    if (value.toLowerCase() !== 'chunked') return false;
    const at = index * fieldStride;
    const [start, end] = [this.fields[at + FieldOffset.valueStart]!, this.fields[at + FieldOffset.valueEnd]!];
    this.text = `${this.text.slice(0, start)}chunked${this.text.slice(end)}`;
    return true;
  }

  /** True where the name of some field holds `_`. */
  hasUnderscoredName(): boolean {
    for (let index = 0; index < this.fieldCount; index++) if (this.isUnderscored(index)) return true;
    return false;
  }

  /** Takes the fields whose name holds `_` out of sight: nobody finds them, nobody forwards them. Returns their number. */
  dropUnderscoredNames(): number {
    let dropped = 0;
    for (let index = 0; index < this.fieldCount; index++) {
      if (!this.isUnderscored(index)) continue;
      const at = index * fieldStride;
      this.fields[at + FieldOffset.nameEnd] = this.fields[at + FieldOffset.nameStart]!;
      this.fields[at + FieldOffset.id] = FieldId.neverForwarded;
      dropped++;
    }
    return dropped;
  }

  private isUnderscored(index: number): boolean {
    const at = index * fieldStride;
    const underscore = this.text.indexOf('_', this.fields[at + FieldOffset.nameStart]);
    return underscore >= 0 && underscore < this.fields[at + FieldOffset.nameEnd]!;
  }

  /** The first field with this `FieldId`, or an empty string. */
  valueById(id: number): string {
    for (let index = 0; index < this.fieldCount; index++) {
      if (this.fields[index * fieldStride + FieldOffset.id] === id) return this.fieldValue(index);
    }
    return '';
  }

  /** All values of the fields with this `FieldId` joined with `,` (RFC 9110 §5.3), or null where there is none. */
  joinedById(id: number): string | null {
    let found: string | null = null;
    for (let index = 0; index < this.fieldCount; index++) {
      if (this.fields[index * fieldStride + FieldOffset.id] !== id) continue;
      const value = this.fieldValue(index);
      found = found === null ? value : `${found},${value}`;
    }
    return found;
  }

  /** The value of the `nth` field (from 0) of this name, or null where there are not so many. For routing and policies. */
  headerValue(lowerCaseName: string, nth: number): string | null {
    let left = nth;
    for (let index = 0; index < this.fieldCount; index++) {
      const at = index * fieldStride;
      const start = this.fields[at + FieldOffset.nameStart]!;
      const end = this.fields[at + FieldOffset.nameEnd]!;
      if (end - start !== lowerCaseName.length) continue;
      if (this.text.slice(start, end).toLowerCase() !== lowerCaseName) continue;
      if (left-- === 0) return this.fieldValue(index);
    }
    return null;
  }

  /** All values of a field joined with `,` (RFC 9110 §5.3), or null where it is absent. For routing and logs. */
  header(lowerCaseName: string): string | null {
    let found: string | null = null;
    for (let index = 0; index < this.fieldCount; index++) {
      const at = index * fieldStride;
      const start = this.fields[at + FieldOffset.nameStart]!;
      const end = this.fields[at + FieldOffset.nameEnd]!;
      if (end - start !== lowerCaseName.length) continue;
      if (this.text.slice(start, end).toLowerCase() !== lowerCaseName) continue;
      const value = this.fieldValue(index);
      found = found === null ? value : `${found},${value}`;
    }
    return found;
  }
}

/**
 * The number in a Content-Length value, or -1 where it is not 1 to 15 digits: no sign, no list, no zeros in front (octal to
 * some), nothing that another parser might read differently (RFC 9112 §6.3; 15 digits stay exact in a double).
 */
export function parseContentLength(value: string): number {
  const digits = value.length;
  if (digits === 0 || digits > 15 || (digits > 1 && value.charCodeAt(0) === 0x30)) return -1;
  let number = 0;
  for (let i = 0; i < digits; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number;
}

/** True where a comma-separated value holds `token`, compared without case. */
export function listContains(value: string, token: string): boolean {
  if (value.length < token.length) return false;
  for (const item of value.split(',')) if (item.trim().toLowerCase() === token) return true;
  return false;
}
