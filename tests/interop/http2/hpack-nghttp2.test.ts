// Our HPACK against nghttp2's: each reads what the other writes, and both refuse the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom, skipWithout } from '@heddle/testkit';
import { FieldList } from '@heddle/proxy/codec/field-list';
import { Field } from '@heddle/proxy/codec/field';
import { sharedFields } from '@heddle/proxy/codec/shared-fields';
import { HpackDecoder } from '@heddle/proxy/http2/hpack/decoder';
import { HpackEncoder } from '@heddle/proxy/http2/hpack/encoder';
import { HpackError } from '@heddle/proxy/http2/hpack/error';
import { Deflater, Inflater, Nghttp2, type PlainField } from './nghttp2-hpack.ts';

const nghttp2 = Nghttp2.open();
const skip = skipWithout({ nghttp2: nghttp2 === null ? null : process.execPath });
const seed = Number(process.env['HEDDLE_SEED'] ?? 1);

const names = [
  ':method',
  ':path',
  ':authority',
  'cookie',
  'authorization',
  'date',
  'x-a',
  'x-b',
  'grpc-timeout',
];
const values = ['', 'GET', '/', 'a', 'identity', 'x'.repeat(40), 'ÿ\u0001\n'.repeat(9), 'y'.repeat(700)];
const sizes = [0, 1, 40, 64, 300, 1000, 4096];

function randomList(random: SeededRandom): PlainField[] {
  return Array.from({ length: random.integer(0, 12) }, () => ({
    name: random.chance(0.9) ? random.pick(names) : `n-${random.integer(0, 50)}`,
    value: random.chance(0.7) ? random.pick(values) : `v${random.integer(0, 1e6)}`,
    isNeverIndexed: random.chance(0.1),
  }));
}

/** Sizes of the table that the peers agree on before a block: seldom any, sometimes several. */
function randomSizes(random: SeededRandom): number[] {
  return random.chance(0.1) ? Array.from({ length: random.integer(1, 3) }, () => random.pick(sizes)) : [];
}

function createDecoder(): HpackDecoder {
  return new HpackDecoder({ maxTableSize: 4096, maxListBytes: 1e6, maxFields: 10_000 });
}

function plain(list: FieldList): PlainField[] {
  return list.fields
    .slice(0, list.length)
    .map(({ name, value, isNeverIndexed }) => ({ name, value, isNeverIndexed }));
}

/** A connection's worth of blocks by nghttp2, and the table sizes agreed on before each. */
function deflated(
  random: SeededRandom,
  visit: (block: Buffer, list: PlainField[], agreed: readonly number[]) => void,
): void {
  const deflater = new Deflater(nghttp2!, 4096);
  for (let i = random.integer(1, 30); i > 0; i--) {
    const agreed = randomSizes(random);
    for (const size of agreed) deflater.changeTableSize(size);
    const list = randomList(random);
    visit(deflater.deflate(list), list, agreed);
  }
  deflater.close();
}

test('what nghttp2 writes is read', { skip }, () => {
  const random = new SeededRandom(seed);
  for (let run = 0; run < 150; run++) {
    const decoder = createDecoder();
    const decoded = new FieldList();
    deflated(random, (block, list, agreed) => {
      for (const size of agreed) decoder.setMaxTableSize(size);
      assert.equal(decoder.decode(block, 0, block.length, decoded), HpackError.none);
      // nghttp2 makes secrets of its own choice: `authorization`, and cookies that are short.
      const isSecret = ({ name, value }: PlainField): boolean =>
        name === 'authorization' || (name === 'cookie' && value.length < 20);
      assert.deepEqual(
        plain(decoded),
        list.map((field) => ({ ...field, isNeverIndexed: field.isNeverIndexed || isSecret(field) })),
      );
    });
  }
});

test('what we write is read by nghttp2', { skip }, () => {
  const random = new SeededRandom(seed);
  for (let run = 0; run < 150; run++) {
    const inflater = new Inflater(nghttp2!);
    const encoder = new HpackEncoder(random.pick([...sizes, 65_536]));
    for (let i = random.integer(1, 30); i > 0; i--) {
      for (const size of randomSizes(random)) {
        inflater.changeTableSize(size);
        encoder.setMaxTableSize(size);
      }
      const list = randomList(random);
      const fields = FieldList.of(
        ...list.map(({ name, value, isNeverIndexed }) => {
          const field = new Field(name, value, isNeverIndexed);
          return random.chance(0.5) ? sharedFields.hold(field) : field;
        }),
      );
      const out = Buffer.alloc(fields.decodedBytes + 12);
      const inflated = inflater.inflate(out.subarray(0, encoder.encode(fields, out, 0)));
      assert.deepEqual(
        inflated?.map(({ name, value }) => [name, value]),
        list.map(({ name, value }) => [name, value]),
      );
      for (const [index, { isNeverIndexed }] of list.entries()) {
        if (isNeverIndexed) assert.ok(inflated[index]!.isNeverIndexed);
      }
    }
    inflater.close();
  }
});

/** Changes some bytes; now and then adds or takes some away. */
function changed(block: Buffer, random: SeededRandom): Buffer {
  let bytes = [...block];
  for (let count = random.integer(1, 3); count > 0; count--) {
    const at = random.integer(0, bytes.length);
    const kind = random.integer(0, 3);
    if (kind === 0) bytes = bytes.toSpliced(at, random.integer(0, 3));
    else if (kind === 1)
      bytes = bytes.toSpliced(at, 0, random.integer(0, 255), random.pick([0x7f, 0xff, 0x80, 0x20, 0x3f]));
    else bytes[at] = kind === 2 ? random.integer(0, 255) : (bytes[at] ?? 0) ^ (1 << random.integer(0, 7));
  }
  return Buffer.from(bytes.map((byte) => byte & 0xff));
}

test('changed blocks are refused by both or mean the same to both', { skip }, () => {
  const random = new SeededRandom(seed);
  const count = { accepted: 0, refused: 0 };
  for (let run = 0; run < 1500; run++) {
    const decoder = createDecoder();
    const inflater = new Inflater(nghttp2!);
    const decoded = new FieldList();
    let isOpen = true;
    deflated(random, (original, _list, agreed) => {
      if (!isOpen) return;
      for (const size of agreed) {
        decoder.setMaxTableSize(size);
        inflater.changeTableSize(size);
      }
      const block = random.chance(0.2) ? changed(original, random) : original;
      const error = decoder.decode(block, 0, block.length, decoded);
      const inflated = inflater.inflate(block);
      const ours = error === HpackError.none ? plain(decoded) : null;
      if (ours === null) count.refused++;
      else count.accepted++;
      assert.deepEqual(ours, inflated, `error ${error}, block ${block.toString('hex')}`);
      isOpen = ours !== null;
    });
    inflater.close();
  }
  assert.ok(count.accepted > 1000 && count.refused > 500, JSON.stringify(count));
});
