// Reads protobuf's wire format (https://protobuf.dev/programming-guides/encoding/). Generated code calls it; every read
// is checked against the end of the message being read, so that garbled input ends in a `WireError` and never in a
// sibling's bytes.
import { WireError } from './wire-error.ts';

/** How deep messages may nest. Deeper input is hostile: the deepest configuration seen in practice has about 30 levels. */
export const maxNesting = 100;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Fields the generated type does not know, by tag (number << 3 | wire type), each with its encoded value. */
export interface UnknownFields {
  [tag: number]: Uint8Array[];
}

/** Reads one encoded message; nested messages are read in place. */
export class BinaryReader {
  readonly buf: Uint8Array;
  /** Where the next read starts. */
  pos = 0;
  /** Where the message that is being read ends. */
  len: number;
  /** Whether a field was met that the generated types don't know. */
  hasUnknownFields = false;
  private readonly view: DataView;
  private depth = 0;

  constructor(buf: Uint8Array) {
    // A Buffer's `slice` shares its memory; that of a plain array copies, which is what `bytes` promises.
    this.buf = new Uint8Array(buf.buffer, buf.byteOffset, buf.byteLength);
    this.len = buf.length;
    this.view = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
  }

  /**
   * Begins a message of `length` bytes (undefined: to the end) and returns what `leave` wants to hear afterwards.
   * Throws when the message is longer than the one around it or nested too deep.
   */
  enter(length: number | undefined): number {
    const outer = this.len;
    if (++this.depth > maxNesting)
      throw new WireError(`Messages are nested deeper than ${maxNesting} levels.`);
    if (length !== undefined) {
      if (length > outer - this.pos) throw this.truncated();
      this.len = this.pos + length;
    }
    return outer;
  }

  /** Ends the message that the matching `enter` began. */
  leave(outer: number): void {
    this.depth--;
    this.len = outer;
  }

  /** A varint; bits above the 32nd are dropped, as protobuf demands. */
  uint32(): number {
    const { buf } = this;
    if (this.pos < this.len) {
      const first = buf[this.pos]!;
      if (first < 0x80) {
        this.pos++;
        return first;
      }
    }
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.pos >= this.len) throw this.truncated();
      const byte = buf[this.pos++]!;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new WireError('A varint is longer than 10 bytes.');
  }

  int32(): number {
    return this.uint32() | 0;
  }

  sint32(): number {
    const value = this.uint32();
    return (value >>> 1) ^ -(value & 1);
  }

  uint64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.pos >= this.len) throw this.truncated();
      const byte = this.buf[this.pos++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new WireError('A varint is longer than 10 bytes.');
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  sint64(): bigint {
    const value = this.uint64();
    return (value >> 1n) ^ -(value & 1n);
  }

  bool(): boolean {
    return this.uint64() !== 0n;
  }

  fixed32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  sfixed32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  fixed64(): bigint {
    return this.view.getBigUint64(this.take(8), true);
  }

  sfixed64(): bigint {
    return this.view.getBigInt64(this.take(8), true);
  }

  float(): number {
    return this.view.getFloat32(this.take(4), true);
  }

  double(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  /** A copy, so that what was decoded does not keep a whole response alive. */
  bytes(): Uint8Array {
    const length = this.uint32();
    const start = this.take(length);
    return this.buf.slice(start, start + length);
  }

  /** Throws on bytes that are no UTF-8, as proto3 demands. */
  string(): string {
    const length = this.uint32();
    const start = this.take(length);
    const end = start + length;
    // Most strings are short names: below about this length a loop beats the call into the decoder.
    if (length <= 24) {
      let text = '';
      let index = start;
      for (; index < end; index++) {
        const byte = this.buf[index]!;
        if (byte >= 0x80) break;
        text += String.fromCharCode(byte);
      }
      if (index === end) return text;
    }
    try {
      return utf8.decode(this.buf.subarray(start, end));
    } catch (error) {
      throw new WireError('A string is not valid UTF-8.', { cause: error });
    }
  }

  /** Steps over one value of the field with this tag and returns its encoded bytes. */
  skip(tag: number): Uint8Array {
    const start = this.pos;
    if (tag >>> 3 === 0) throw new WireError('A field has the number 0.');
    switch (tag & 7) {
      case 0:
        this.uint64();
        break;
      case 1:
        this.take(8);
        break;
      case 2:
        this.take(this.uint32());
        break;
      case 3:
        this.skipGroup(tag >>> 3);
        break;
      case 5:
        this.take(4);
        break;
      default:
        throw new WireError(`A field has the wire type ${tag & 7}, which does not exist here.`);
    }
    return this.buf.slice(start, this.pos);
  }

  /** Keeps a field the generated type does not know on the message. */
  keepUnknown(message: { _unknownFields?: UnknownFields | undefined }, tag: number): void {
    const value = this.skip(tag);
    this.hasUnknownFields = true;
    const fields = (message._unknownFields ??= {});
    const values = fields[tag];
    if (values === undefined) fields[tag] = [value];
    else values.push(value);
  }

  private skipGroup(number: number): void {
    if (++this.depth > maxNesting)
      throw new WireError(`Messages are nested deeper than ${maxNesting} levels.`);
    for (;;) {
      const tag = this.uint32();
      if ((tag & 7) === 4) {
        if (tag >>> 3 !== number) throw new WireError('A group ends that was not begun.');
        this.depth--;
        return;
      }
      this.skip(tag);
    }
  }

  /** Takes `length` bytes and returns where they start. */
  private take(length: number): number {
    const start = this.pos;
    if (length > this.len - start) throw this.truncated();
    this.pos = start + length;
    return start;
  }

  private truncated(): WireError {
    return new WireError(`The message ends in the middle of a field (at byte ${this.len}).`);
  }
}
