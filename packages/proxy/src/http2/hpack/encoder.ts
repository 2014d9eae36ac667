// Hot path: a list of which every field is in a table is written without an object or a string.
import { FieldId, type FieldName } from '../../codec/field-name.ts';
import type { FieldList } from '../../codec/field-list.ts';
import { type Field, NotHeld } from '../../codec/field.ts';
import { DynamicTable } from './dynamic-table.ts';
import { byteAt, huffmanLength, writeHuffman } from './huffman-encoder.ts';
import { writeInteger } from './integer.ts';
import { sharedFields } from '../../codec/shared-fields.ts';
import { staticFields, staticIndexOf } from '../../codec/static-fields.ts';

/** The table that a peer has before we hear of its settings (RFC 9113 §6.5.2). */
const initialTableSize = 4096;

/** Secrets that are shorter could be guessed by trying (RFC 7541 §7.1.3): no table may hold them. */
const shortestIndexedSecret = 20;

const staticCount = staticFields.length;

/** First bytes of the representations (RFC 7541 §6). */
const Form = {
  indexed: 0x80,
  newEntry: 0x40,
  sizeUpdate: 0x20,
  neverIndexed: 0x10,
  notIndexed: 0x00,
} as const;

/**
 * One direction of a connection. What repeats goes into the table: the cache of fields knows what does. Request ids and
 * paths that are all different don't, so that they drive nothing out; paths of gRPC methods do.
 */
export class HpackEncoder {
  private readonly table = new DynamicTable(initialTableSize);
  private readonly largestTable: number;
  /** The numbers of entries in the table, by the id of the field and of the name; whether they still hold is seen there. */
  private entryOfField = new Int32Array(128);
  private entryOfName = new Int32Array(128);
  /** The smallest and the last size that the table has to take before the next block; -1: none. */
  private smallestSize = -1;
  private lastSize = -1;

  /** `largestTable`: the table that we make at most, however much the peer allows; bytes. */
  constructor(largestTable: number) {
    this.largestTable = largestTable;
    if (largestTable < initialTableSize) this.setMaxTableSize(initialTableSize);
  }

  /** Bytes that the table may take. */
  get tableSize(): number {
    return this.lastSize < 0 ? this.table.maxSize : this.lastSize;
  }

  /** What the peer allows, by its SETTINGS_HEADER_TABLE_SIZE. The next block tells it what we make of it (RFC 7541 §4.2). */
  setMaxTableSize(size: number): void {
    const next = Math.min(size, this.largestTable);
    if (next === this.tableSize) return;
    if (next < this.table.maxSize && (this.smallestSize < 0 || next < this.smallestSize))
      this.smallestSize = next;
    this.lastSize = next;
  }

  /**
   * Writes a whole block for `list` to `out` at `at`. `list.decodedBytes` and 12 bytes more are room enough. Returns the
   * position behind it.
   */
  encode(list: FieldList, out: Buffer, at: number): number {
    let position = this.begin(out, at);
    for (let i = 0; i < list.length; i++) position = this.encodeField(list.fields[i]!, out, position);
    return position;
  }

  /** Begins a block. It may take 12 bytes. */
  begin(out: Buffer, at: number): number {
    if (this.lastSize < 0) return at;
    let position = at;
    if (this.smallestSize >= 0 && this.smallestSize < this.lastSize) {
      position = writeInteger(this.smallestSize, 0x1f, Form.sizeUpdate, out, position);
      this.table.resize(this.smallestSize);
    }
    position = writeInteger(this.lastSize, 0x1f, Form.sizeUpdate, out, position);
    this.table.resize(this.lastSize);
    this.smallestSize = -1;
    this.lastSize = -1;
    return position;
  }

  /** Writes one field of the block that was begun. `field.size` is room enough. */
  encodeField(field: Field, out: Buffer, at: number): number {
    if (field.id < 0) return this.encodeRare(field, out, at);
    if (field.id < staticCount) {
      out[at] = Form.indexed | (field.id + 1);
      return at + 1;
    }
    return this.encodeHeld(field, out, at);
  }

  private encodeHeld(field: Field, out: Buffer, at: number): number {
    const { id } = field;
    field.wasUsed = true;
    if (id < this.entryOfField.length) {
      const index = this.table.indexOf(this.entryOfField[id]!, field);
      if (index > 0) return writeInteger(staticCount + index, 0x7f, Form.indexed, out, at);
    }
    if (isGuessable(field)) return this.writeLiteral(field, Form.neverIndexed, 0x0f, out, at);
    // A field that takes more than half of the table would drive out more than it saves.
    if (field.size * 2 > this.table.maxSize) return this.writeLiteral(field, Form.notIndexed, 0x0f, out, at);
    return this.writeEntry(field, out, at);
  }

  /** A field that the cache doesn't hold: it is new, a secret, too large, or has left it. */
  private encodeRare(field: Field, out: Buffer, at: number): number {
    const held = heldFor(field);
    if (held.id >= 0) return this.encodeField(held, out, at);
    if (field.id === NotHeld.never || isGuessable(field)) {
      return this.writeLiteral(field, Form.neverIndexed, 0x0f, out, at);
    }
    field.id = NotHeld.seen;
    const { key } = field;
    // It goes into the table for its name's sake: the next value is written behind one byte or two.
    if (key.isRepeated && field.size * 8 <= this.table.maxSize && this.indexOfName(key) === 0) {
      field.detach();
      return this.writeEntry(field, out, at);
    }
    return this.writeLiteral(field, Form.notIndexed, 0x0f, out, at);
  }

  private writeEntry(field: Field, out: Buffer, at: number): number {
    const position = this.writeLiteral(field, Form.newEntry, 0x3f, out, at);
    const number = this.table.add(field);
    const { key, id } = field;
    if (id >= 0) this.entryOfField = withNumber(this.entryOfField, id, number);
    if (key.id >= 0) this.entryOfName = withNumber(this.entryOfName, key.id, number);
    return position;
  }

  private writeLiteral(field: Field, form: number, mask: number, out: Buffer, at: number): number {
    const index = this.indexOfName(field.key);
    let position = writeInteger(index, mask, form, out, at);
    if (index === 0) position = writeString(field.key.text, out, position);
    return writeString(field.value, out, position);
  }

  /** An index whose entry has this name; 0 where there is none. */
  private indexOfName(name: FieldName): number {
    if (name.staticIndex < 0) name.staticIndex = staticIndexOf(name.text);
    if (name.staticIndex > 0) return name.staticIndex;
    if (name.id < 0 || name.id >= this.entryOfName.length) return 0;
    const index = this.table.indexOfName(this.entryOfName[name.id]!, name);
    return index === 0 ? 0 : staticCount + index;
  }
}

/** A string literal, in Huffman code where that is shorter (RFC 7541 §5.2). */
function writeString(text: string, out: Buffer, at: number): number {
  const { length } = text;
  const coded = huffmanLength(text);
  if (coded < length) return writeHuffman(text, out, writeInteger(coded, 0x7f, 0x80, out, at));
  const position = writeInteger(length, 0x7f, 0, out, at);
  for (let i = 0; i < length; i++) out[position + i] = byteAt(text, i);
  return position + length;
}

/** What the cache holds for a field that comes the second time; else the field itself. */
function heldFor(field: Field): Field {
  if (field.id === NotHeld.seen) return sharedFields.hold(field);
  // What comes from a peer was looked for when it was read, and has its hash since then.
  return field.hash === 0 ? sharedFields.of(field) : field;
}

/** A secret that is short enough to be found by trying. */
function isGuessable(field: Field): boolean {
  if (field.value.length >= shortestIndexedSecret) return false;
  switch (field.fieldId) {
    case FieldId.authorization:
    case FieldId.proxyAuthorization:
    case FieldId.cookie:
    case FieldId.setCookie:
      return true;
    default:
      return false;
  }
}

/** `numbers` with `number` for `id`, made larger where it has no place for it. */
function withNumber(numbers: Int32Array, id: number, number: number): Int32Array<ArrayBuffer> {
  let larger = numbers as Int32Array<ArrayBuffer>;
  if (id >= numbers.length) {
    larger = new Int32Array(2 ** Math.ceil(Math.log2(id + 1)));
    larger.set(numbers);
  }
  larger[id] = number;
  return larger;
}
