// Hot path.
import { FieldId } from '../codec/field-name.ts';
import type { FieldFilter } from '../codec/field-filter.ts';
import type { FieldList } from '../codec/field-list.ts';
import { BodyKind, type MessageView } from '../codec/message-view.ts';
import { fieldNameCache } from '../codec/name-cache.ts';
import { sharedFields } from '../codec/shared-fields.ts';
import { latin1 } from '../transport/latin1.ts';
import { FieldOffset, type HeadScanner, fieldStride } from './head-scanner.ts';

const emptyFields = new Int32Array(0);

/** The part that request and response heads share: one string for the whole head and the positions of its fields. */
export abstract class MessageHead implements MessageView {
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

  keptFields(filter: FieldFilter, replaced: readonly string[] | null, into: FieldList): void {
    const nominated = this.nominated(replaced);
    for (let index = 0; index < this.fieldCount; index++) {
      const id = this.fieldId(index);
      if (filter[id] === 1) continue;
      const at = index * fieldStride;
      const { text, fields } = this;
      const name = fieldNameCache.ofLine(
        text,
        fields[at + FieldOffset.nameStart]!,
        fields[at + FieldOffset.nameEnd]!,
      );
      if (nominated !== null && nominated.includes(name.text)) continue;
      into.add(
        sharedFields.ofText(
          name,
          text,
          fields[at + FieldOffset.valueStart]!,
          fields[at + FieldOffset.valueEnd]!,
        ),
      );
    }
  }

  /**
   * The lines from position `from` that pass the filter and are none of `replaced` (lower case), byte for byte and in as few
   * slices as possible: what is in front of the fields goes along.
   */
  protected keptLines(from: number, filter: FieldFilter, replaced: readonly string[] | null): string {
    const nominated = this.nominated(replaced);
    const { text, fields, fieldCount } = this;
    let out = '';
    let runStart = from;
    for (let index = 0; index < fieldCount; index++) {
      const at = index * fieldStride;
      let dropped = filter[fields[at + FieldOffset.id]!] === 1;
      if (!dropped && nominated !== null) dropped = nominated.includes(this.fieldName(index).toLowerCase());
      if (!dropped) continue;
      const lineStart = fields[at + FieldOffset.nameStart]!;
      if (lineStart > runStart) out += text.slice(runStart, lineStart);
      runStart = index + 1 < fieldCount ? fields[at + fieldStride + FieldOffset.nameStart]! : text.length - 2;
    }
    const end = text.length - 2;
    return end > runStart ? out + text.slice(runStart, end) : out;
  }

  /** The two lines that speak of an upgrade, written as the message has them. */
  upgradeLines(): string {
    const options = this.valueById(FieldId.connection).split(',');
    const option = options.find((one) => one.trim().toLowerCase() === 'upgrade')?.trim() ?? 'upgrade';
    return `upgrade: ${this.valueById(FieldId.upgrade)}\r\nconnection: ${option}\r\n`;
  }

  /**
   * True where `Connection` takes the field out of what goes on. Not the two that say by it that they are there for this
   * hop: routes ask for `upgrade`.
   */
  isNominated(lowerCaseName: string): boolean {
    if (!this.hasConnectionField || lowerCaseName === 'upgrade' || lowerCaseName === 'te') return false;
    return this.nominated(null)?.includes(lowerCaseName) === true;
  }

  /** `replaced` and the names that `Connection` nominates for removal, in lower case; null, as usual, for none. */
  private nominated(replaced: readonly string[] | null): readonly string[] | null {
    if (!this.hasConnectionField) return replaced;
    const nominated = replaced === null ? [] : [...replaced];
    for (let index = 0; index < this.fieldCount; index++) {
      if (this.fieldId(index) !== FieldId.connection) continue;
      for (const item of this.fieldValue(index).split(',')) {
        const name = item.trim().toLowerCase();
        if (name !== '' && name !== 'close' && name !== 'keep-alive') nominated.push(name);
      }
    }
    return nominated.length === 0 ? null : nominated;
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
      this.dropField(index);
      dropped++;
    }
    return dropped;
  }

  /**
   * Takes Content-Length out of sight where the chunks say how long the body is; the connection ends behind the message
   * (RFC 9112 §6.1): who else reads it may have believed the length.
   */
  protected ignoreLength(): void {
    this.dropLength();
    this.closesConnection = true;
  }

  /** Takes Content-Length out of sight. */
  protected dropLength(): void {
    for (let index = 0; index < this.fieldCount; index++) {
      if (this.fieldId(index) === FieldId.contentLength) this.dropField(index);
    }
    this.contentLength = 0;
  }

  private dropField(index: number): void {
    const at = index * fieldStride;
    this.fields[at + FieldOffset.nameEnd] = this.fields[at + FieldOffset.nameStart]!;
    this.fields[at + FieldOffset.id] = FieldId.neverForwarded;
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

/** True where a comma-separated value holds `token`, compared without case. */
export function listContains(value: string, token: string): boolean {
  if (value.length < token.length) return false;
  for (const item of value.split(',')) if (item.trim().toLowerCase() === token) return true;
  return false;
}
