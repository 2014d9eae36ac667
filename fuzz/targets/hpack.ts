import assert from 'node:assert/strict';
import { FieldList } from '../../packages/proxy/src/codec/field-list.ts';
import { Field } from '../../packages/proxy/src/codec/field.ts';
import { HpackDecoder } from '../../packages/proxy/src/http2/hpack/decoder.ts';
import type { DynamicTable } from '../../packages/proxy/src/http2/hpack/dynamic-table.ts';
import { HpackEncoder } from '../../packages/proxy/src/http2/hpack/encoder.ts';
import { HpackError, isCompressionError } from '../../packages/proxy/src/http2/hpack/hpack-error.ts';
import { checkRequest, checkResponse, checkTrailers } from '../../packages/proxy/src/http2/message-rules.ts';
import { Inflater, Nghttp2 } from '../../tests/interop/http2/nghttp2-hpack.ts';
import type { FuzzTarget } from '../target.ts';

// An input is a connection: blocks with their length in front, one byte; behind a length of 0 comes another size of the
// table, acknowledged by the peer, in units of 16 bytes.

const limits = { maxTableSize: 4096, maxListBytes: 2048, maxFields: 40 };
const nghttp2 = Nghttp2.open();

/** A decoder, and what it says of each block. */
class Reader {
  readonly list = new FieldList();
  private readonly decoder: HpackDecoder;
  private largest = 4096;

  constructor(changed: Partial<typeof limits>) {
    this.decoder = new HpackDecoder({ ...limits, ...changed });
  }

  resize(size: number): void {
    this.decoder.setMaxTableSize(size);
    this.largest = Math.max(4096, size);
  }

  read(block: Buffer): number {
    const error = this.decoder.decode(block, 0, block.length, this.list);
    assert.ok(this.decoder.tableSize <= this.largest, 'no table is larger than announced');
    const table = Reflect.get(this.decoder, 'table') as DynamicTable;
    let size = 0;
    for (let index = 1; index <= table.length; index++) size += table.at(index).size;
    assert.equal(table.size, size, 'the table knows its size');
    assert.ok(size <= table.maxSize, 'and keeps to it');
    return error;
  }

  get text(): string {
    const { fields, length } = this.list;
    return JSON.stringify(
      fields.slice(0, length).map(({ name, value, isNeverIndexed }) => [name, value, isNeverIndexed]),
    );
  }
}

function run(input: Uint8Array): void {
  const limited = new Reader({});
  const reader = new Reader({ maxListBytes: 1e9, maxFields: 1e9 });
  // What the caches have learned in between must not matter.
  const second = new Reader({ maxListBytes: 1e9, maxFields: 1e9 });
  const encoder = new HpackEncoder(4096);
  const receiver = new Reader({ maxListBytes: 1e9, maxFields: 1e9 });
  const inflater = nghttp2 === null ? null : new Inflater(nghttp2);
  for (let at = 0; at < input.length;) {
    const length = input[at++]!;
    if (length === 0) {
      const size = (input[at++] ?? 0) * 16;
      for (const one of [limited, reader, second]) one.resize(size);
      inflater?.changeTableSize(size);
      continue;
    }
    const block = Buffer.from(input.subarray(at, at + length));
    at += length;
    const error = reader.read(block);
    assert.equal(second.read(block), error);
    assert.equal(second.text, reader.text, 'it means the same each time');
    const limitedError = limited.read(block);
    assert.ok(limited.list.decodedBytes <= limits.maxListBytes && limited.list.length <= limits.maxFields);
    if (isCompressionError(error)) assert.equal(limitedError, error);
    else assert.ok(!isCompressionError(limitedError), 'limits change nothing about the table');
    for (const check of [checkRequest, checkResponse, checkTrailers]) check(reader.list, true);
    // nghttp2 takes integers of more than 5 bytes.
    if (inflater !== null && error !== HpackError.badInteger) {
      const inflated = inflater.inflate(block);
      const fields = inflated?.map(({ name, value, isNeverIndexed }) => [name, value, isNeverIndexed]);
      assert.equal(error === HpackError.none ? reader.text : undefined, JSON.stringify(fields));
    }
    if (error !== HpackError.none) break;
    const out = Buffer.alloc(reader.list.decodedBytes + 12);
    assert.equal(receiver.read(out.subarray(0, encoder.encode(reader.list, out, 0))), HpackError.none);
    const pairs = (list: FieldList): unknown =>
      list.fields.slice(0, list.length).map(({ name, value }) => [name, value]);
    assert.deepEqual(pairs(receiver.list), pairs(reader.list), 'what is encoded is what was decoded');
  }
  inflater?.close();
}

/** A connection that says these lists, each twice. */
function connection(...lists: readonly (readonly (readonly [string, string])[])[]): Uint8Array {
  const encoder = new HpackEncoder(4096);
  const blocks = [...lists, ...lists].map((pairs) => {
    const list = FieldList.of(...pairs.map(([name, value]) => new Field(name, value)));
    const out = Buffer.alloc(list.decodedBytes + 12);
    return out.subarray(0, encoder.encode(list, out, 0));
  });
  return Buffer.concat(blocks.flatMap((block) => [Buffer.from([block.length]), block]));
}

function blocks(...hex: readonly string[]): Uint8Array {
  return Buffer.concat(
    hex.map((one) => Buffer.from(one, 'hex')).flatMap((block) => [Buffer.from([block.length]), block]),
  );
}

/** Header blocks of a connection. */
export const hpack: FuzzTarget = {
  name: 'hpack',
  seeds: [
    connection(
      [
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', '/shop.Cart/AddItem'],
        [':authority', 'cart:7070'],
        ['content-type', 'application/grpc'],
        ['te', 'trailers'],
        ['grpc-timeout', '1S'],
      ],
      [
        [':status', '200'],
        ['content-type', 'application/grpc'],
      ],
      [
        ['grpc-status', '0'],
        ['grpc-message', ''],
      ],
    ),
    // RFC 7541, C.4.
    blocks(
      '828684418cf1e3c2e5f23a6ba0ab90f4ff',
      '828684be5886a8eb10649cbf',
      '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
    ),
    // Sizes of the table, a secret, an entry that fits no longer.
    Uint8Array.from([
      ...blocks('40016101620f1f0163', '1001610162be'),
      ...[0, 2],
      ...blocks('3f0182', '20823fe11f'),
    ]),
    // A smaller table and a larger one before the next block, which has to go through the smaller.
    Uint8Array.from([...[0, 2, 0, 255], ...blocks('20823f4582', '203f4582be', '3f4582')]),
    Uint8Array.from([...[0, 2, 0, 255], ...blocks('3f013f4582', '400161016282', 'be')]),
  ],
  run,
};
