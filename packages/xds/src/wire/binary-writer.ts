// Writes protobuf's wire format (https://protobuf.dev/programming-guides/encoding/). Generated code calls it.
import { WireError } from './wire-error.ts';
import type { UnknownFields } from './binary-reader.ts';

const utf8 = new TextEncoder();
const initialSize = 128;

/** A 64-bit value as callers have it. */
export type Long = number | bigint | string;

/**
 * Appends fields to a growing buffer. A nested message is written in place behind a length whose bytes are inserted
 * when it is complete.
 */
export class BinaryWriter {
  private buffer = new Uint8Array(initialSize);
  private view = new DataView(this.buffer.buffer);
  private pos = 0;
  /** Where the nested messages begun by `fork` start. */
  private readonly starts: number[] = [];

  /** What was written: a copy of exactly its size. */
  finish(): Uint8Array {
    if (this.starts.length > 0) throw new WireError('A nested message was begun and not ended.');
    return this.buffer.slice(0, this.pos);
  }

  /** Begins a nested message; its tag has been written. One byte is kept free for its length, which most don't exceed. */
  fork(): this {
    this.reserve(1);
    this.pos++;
    this.starts.push(this.pos);
    return this;
  }

  /** Ends the innermost nested message and puts its length before it. */
  join(): this {
    const start = this.starts.pop();
    if (start === undefined) throw new WireError('A nested message was ended and not begun.');
    const length = this.pos - start;
    if (length < 0x80) {
      this.buffer[start - 1] = length;
      return this;
    }
    const more = varintSize(length) - 1;
    this.reserve(more);
    this.buffer.copyWithin(start + more, start, this.pos);
    this.pos = start - 1;
    this.uint32(length);
    this.pos += length;
    return this;
  }

  /** A field's tag: number and wire type. */
  tag(number: number, wireType: number): this {
    return this.uint32(((number << 3) | wireType) >>> 0);
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): this {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.pos);
    this.pos += bytes.length;
    return this;
  }

  uint32(value: number): this {
    if (!(value >= 0 && value <= 0xffff_ffff && Number.isInteger(value))) throw outOfRange('uint32', value);
    this.reserve(5);
    let rest = value;
    while (rest > 0x7f) {
      this.buffer[this.pos++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.pos++] = rest;
    return this;
  }

  /** Negative numbers take 10 bytes, as if they had 64 bits. */
  int32(value: number): this {
    if ((value | 0) !== value) throw outOfRange('int32', value);
    return value >= 0 ? this.uint32(value) : this.varint64(BigInt.asUintN(64, BigInt(value)));
  }

  sint32(value: number): this {
    if ((value | 0) !== value) throw outOfRange('sint32', value);
    return this.uint32(((value << 1) ^ (value >> 31)) >>> 0);
  }

  uint64(value: Long): this {
    if (typeof value === 'number' && value >= 0 && value <= 0xffff_ffff) return this.uint32(value);
    const long = toBigInt(value);
    if (long < 0n || long > 0xffff_ffff_ffff_ffffn) throw outOfRange('uint64', value);
    return this.varint64(long);
  }

  int64(value: Long): this {
    if (typeof value === 'number' && value >= 0 && value <= 0xffff_ffff) return this.uint32(value);
    return this.varint64(BigInt.asUintN(64, signed(value)));
  }

  sint64(value: Long): this {
    const long = signed(value);
    return this.varint64(BigInt.asUintN(64, (long << 1n) ^ (long >> 63n)));
  }

  bool(value: boolean): this {
    this.reserve(1);
    this.buffer[this.pos++] = value ? 1 : 0;
    return this;
  }

  fixed32(value: number): this {
    if (value >>> 0 !== value) throw outOfRange('fixed32', value);
    this.reserve(4);
    this.view.setUint32(this.pos, value, true);
    this.pos += 4;
    return this;
  }

  sfixed32(value: number): this {
    if ((value | 0) !== value) throw outOfRange('sfixed32', value);
    this.reserve(4);
    this.view.setInt32(this.pos, value, true);
    this.pos += 4;
    return this;
  }

  fixed64(value: Long): this {
    const long = toBigInt(value);
    if (long < 0n || long > 0xffff_ffff_ffff_ffffn) throw outOfRange('fixed64', value);
    this.reserve(8);
    this.view.setBigUint64(this.pos, long, true);
    this.pos += 8;
    return this;
  }

  sfixed64(value: Long): this {
    this.reserve(8);
    this.view.setBigInt64(this.pos, signed(value), true);
    this.pos += 8;
    return this;
  }

  float(value: number): this {
    this.reserve(4);
    this.view.setFloat32(this.pos, value, true);
    this.pos += 4;
    return this;
  }

  double(value: number): this {
    this.reserve(8);
    this.view.setFloat64(this.pos, value, true);
    this.pos += 8;
    return this;
  }

  bytes(value: Uint8Array): this {
    return this.uint32(value.length).raw(value);
  }

  string(value: string): this {
    const { length } = value;
    // Names and addresses are short and ASCII: written directly, with no second buffer.
    if (length < 0x80) {
      this.reserve(length + 1);
      const start = this.pos + 1;
      let index = 0;
      for (; index < length; index++) {
        const code = value.charCodeAt(index);
        if (code >= 0x80) break;
        this.buffer[start + index] = code;
      }
      if (index === length) {
        this.buffer[this.pos] = length;
        this.pos = start + length;
        return this;
      }
    }
    return this.bytes(utf8.encode(value));
  }

  /** The fields that `BinaryReader.keepUnknown` kept. */
  unknown(fields: UnknownFields | undefined): this {
    if (fields === undefined) return this;
    for (const [tag, values] of Object.entries(fields)) {
      for (const value of values) this.uint32(Number(tag)).raw(value);
    }
    return this;
  }

  private varint64(value: bigint): this {
    this.reserve(10);
    let rest = value;
    while (rest > 0x7fn) {
      this.buffer[this.pos++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.pos++] = Number(rest);
    return this;
  }

  private reserve(size: number): void {
    const needed = this.pos + size;
    if (needed <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.buffer.length * 2));
    grown.set(this.buffer.subarray(0, this.pos));
    this.buffer = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** How many bytes a non-negative integer below 2^35 takes as a varint. */
function varintSize(value: number): number {
  let size = 1;
  for (let limit = 0x80; value >= limit; limit *= 0x80) size++;
  return size;
}

function toBigInt(value: Long): bigint {
  try {
    return BigInt(value);
  } catch (error) {
    throw new WireError(`'${value}' is not a whole number.`, { cause: error });
  }
}

function signed(value: Long): bigint {
  const long = toBigInt(value);
  if (BigInt.asIntN(64, long) !== long) throw outOfRange('int64', value);
  return long;
}

function outOfRange(type: string, value: Long): WireError {
  return new WireError(`${value} is not a value of the type ${type}.`);
}
