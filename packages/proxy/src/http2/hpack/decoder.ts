// Hot path: a block of which every field is in a table makes no object and no string.
import type { FieldList } from '../../codec/field-list.ts';
import type { FieldName } from '../../codec/field-name.ts';
import { Field } from '../../codec/field.ts';
import { fieldNameCache } from '../../codec/name-cache.ts';
import { latin1 } from '../../transport/latin1.ts';
import { DynamicTable } from './dynamic-table.ts';
import { HpackError } from './hpack-error.ts';
import { huffmanRoom, readHuffman } from './huffman-decoder.ts';
import { sharedFields } from '../../codec/shared-fields.ts';
import { staticFields } from '../../codec/static-fields.ts';

export interface HpackDecoderLimits {
  /** The table that we announce (SETTINGS_HEADER_TABLE_SIZE), bytes. */
  readonly maxTableSize: number;
  /** Bytes of a list, each field counted with 32 more than it has (RFC 9113 §6.5.2). */
  readonly maxListBytes: number;
  /** Fields of a list. */
  readonly maxFields: number;
}

/** The table that a peer has before it hears of our settings (RFC 9113 §6.5.2). */
const initialTableSize = 4096;

/** Where Huffman code is decoded to; what is longer gets memory of its own. */
const scratch = Buffer.alloc(16_384);

/** Bytes of an integer, its prefix included: values up to 2^28. */
const longestInteger = 5;

const staticCount = staticFields.length;

/** Stands for a field that was read and isn't needed. */
const unwanted = staticFields[0]!;

/** One direction of a connection: header blocks in the order in which they came (RFC 7541). */
export class HpackDecoder {
  private readonly maxListBytes: number;
  private readonly maxFields: number;
  private readonly table = new DynamicTable(initialTableSize);
  /** The largest table that the peer may use. */
  private maxTableSize: number;
  /** The next block has to make the table this small, since the peer has acknowledged that it may not be larger; -1: no such thing. */
  private requiredTableSize = -1;
  private buffer: Buffer = scratch;
  private position = 0;
  private end = 0;
  /** The string that was read last: `text[textStart, textEnd)`. */
  private text: Buffer = scratch;
  private textStart = 0;
  private textEnd = 0;
  /** Why the last read failed. */
  private failure: number = HpackError.none;

  constructor(limits: HpackDecoderLimits) {
    this.maxListBytes = limits.maxListBytes;
    this.maxFields = limits.maxFields;
    // A smaller one binds the peer once it has acknowledged it.
    this.maxTableSize = Math.max(initialTableSize, limits.maxTableSize);
  }

  /** Bytes that the table may take. */
  get tableSize(): number {
    return this.table.maxSize;
  }

  /** The peer has acknowledged this SETTINGS_HEADER_TABLE_SIZE. A table that is larger has to shrink with its next block. */
  setMaxTableSize(size: number): void {
    this.maxTableSize = size;
    if (size < this.table.maxSize && (this.requiredTableSize < 0 || size < this.requiredTableSize)) {
      this.requiredTableSize = size;
    }
  }

  /**
   * Decodes a whole block, `buffer[start, end)`, into `list`, whose content it replaces. Returns one of `HpackError`. The
   * list is complete only where that is `none`.
   */
  decode(buffer: Buffer, start: number, end: number, list: FieldList): number {
    list.clear();
    this.buffer = buffer;
    this.position = start;
    this.end = end;
    const error = this.decodeBlock(list);
    this.buffer = scratch;
    this.text = scratch;
    return error;
  }

  private decodeBlock(list: FieldList): number {
    const { buffer, end } = this;
    let bytes = 0;
    let refusal: number = HpackError.none;
    this.failure = HpackError.none;
    let isAtStart = true;
    while (this.position < end) {
      const first = buffer[this.position]!;
      if ((first & 0xe0) === 0x20) {
        if (!isAtStart) return HpackError.lateSizeUpdate;
        if (!this.resizeTable()) return this.failure;
        continue;
      }
      if (isAtStart && this.requiredTableSize >= 0) return HpackError.missingSizeUpdate;
      isAtStart = false;
      const field = first >= 0x80 ? this.readIndexed() : this.readLiteral(first, refusal === HpackError.none);
      if (field === null) return this.failure;
      if (refusal !== HpackError.none) continue;
      bytes += field.size;
      if (list.length === this.maxFields) refusal = HpackError.tooManyFields;
      else if (bytes > this.maxListBytes) refusal = HpackError.listTooLarge;
      else list.add(field);
    }
    return this.requiredTableSize >= 0 ? HpackError.missingSizeUpdate : refusal;
  }

  /** Dynamic table size update (RFC 7541 §6.3). */
  private resizeTable(): boolean {
    const size = this.readInteger(0x1f);
    if (size < 0) return false;
    if (size > (this.requiredTableSize < 0 ? this.maxTableSize : this.requiredTableSize)) {
      this.failure = HpackError.tableTooLarge;
      return false;
    }
    this.requiredTableSize = -1;
    this.table.resize(size);
    return true;
  }

  /** An indexed field (RFC 7541 §6.1). */
  private readIndexed(): Field | null {
    const index = this.readInteger(0x7f);
    const field = this.entryAt(index);
    if (field === null || field.id >= 0) {
      if (field !== null) field.wasUsed = true;
      return field;
    }
    // It repeats: from now on all connections share it.
    const held = sharedFields.hold(field);
    if (held !== field) this.table.replace(index - staticCount, held);
    return held;
  }

  private entryAt(index: number): Field | null {
    if (index > 0 && index <= staticCount) return staticFields[index - 1]!;
    const place = index - staticCount;
    if (place > 0 && place <= this.table.length) return this.table.at(place);
    // Where there was no integer, it has said so.
    if (index >= 0) this.failure = HpackError.badIndex;
    return null;
  }

  /**
   * A literal (RFC 7541 §6.2). `isWanted`: the list takes it; otherwise it is read for the table's sake, and the answer
   * means no more than that it could be read.
   */
  private readLiteral(first: number, isWanted: boolean): Field | null {
    const isIndexed = first >= 0x40;
    const named = this.readNamed(isIndexed ? 0x3f : 0x0f);
    if (named === null || !this.readString()) return null;
    const { text, textStart, textEnd } = this;
    if (isIndexed) {
      if (named.text.length + textEnd - textStart + 32 <= this.table.maxSize || isWanted) {
        const field = sharedFields.ofBytes(named, text, textStart, textEnd);
        this.table.add(field);
        return field;
      }
      this.table.clear();
      return unwanted;
    }
    if (!isWanted) return unwanted;
    if (first >= 0x10) return new Field(named, latin1(text, textStart, textEnd), true);
    return sharedFields.ofBytes(named, text, textStart, textEnd);
  }

  private readNamed(mask: number): FieldName | null {
    if ((this.buffer[this.position]! & mask) === 0) {
      this.position++;
      return this.readString() ? fieldNameCache.ofBytes(this.text, this.textStart, this.textEnd) : null;
    }
    const field = this.entryAt(this.readInteger(mask));
    if (field === null) return null;
    field.key.isRepeated = true;
    return field.key;
  }

  /** A string literal (RFC 7541 §5.2): where it lies decoded. */
  private readString(): boolean {
    if (this.position >= this.end) return this.fail(HpackError.truncated);
    const isCoded = this.buffer[this.position]! >= 0x80;
    const length = this.readInteger(0x7f);
    if (length < 0) return false;
    const start = this.position;
    if (length > this.end - start) return this.fail(HpackError.truncated);
    this.position = start + length;
    if (!isCoded) {
      this.text = this.buffer;
      this.textStart = start;
      this.textEnd = this.position;
      return true;
    }
    const room = huffmanRoom(length);
    this.text = room <= scratch.length ? scratch : Buffer.allocUnsafe(room);
    this.textStart = 0;
    this.textEnd = readHuffman(this.buffer, start, this.position, this.text);
    return this.textEnd >= 0 || this.fail(HpackError.badHuffmanCode);
  }

  /** An integer (RFC 7541 §5.1) whose first byte, which is there, has it in the bits of `mask`; -1 where it is none. */
  private readInteger(mask: number): number {
    const { buffer, end } = this;
    let value = buffer[this.position++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; shift < (longestInteger - 1) * 7; shift += 7) {
      if (this.position >= end) {
        this.failure = HpackError.truncated;
        return -1;
      }
      const byte = buffer[this.position++]!;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    this.failure = HpackError.badInteger;
    return -1;
  }

  private fail(error: number): false {
    this.failure = error;
    return false;
  }
}
