import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { BinaryReader, maxNesting } from './binary-reader.ts';
import { BinaryWriter } from './binary-writer.ts';
import { WireError } from './wire-error.ts';

const bigInt64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const bigUint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });

const samples = {
  int32, sint32: int32, sfixed32: int32, uint32, fixed32: uint32,
  int64: bigInt64, sint64: bigInt64, sfixed64: bigInt64, uint64: bigUint64, fixed64: bigUint64,
  double: fc.double(), float: fc.float(), bool: fc.boolean(), string: fc.string({ unit: 'grapheme' }),
} as const; // prettier-ignore

type Scalar = keyof typeof samples;

describe('BinaryWriter and BinaryReader', () => {
  for (const type of Object.keys(samples) as Scalar[]) {
    it(`read back every ${type} that was written`, () => {
      fc.assert(
        fc.property(samples[type] as fc.Arbitrary<unknown>, (value) => {
          const writer = new BinaryWriter();
          (writer[type] as (value: unknown) => BinaryWriter).call(writer, value);
          const reader = new BinaryReader(writer.finish());
          assert.deepEqual(reader[type](), value);
          assert.equal(reader.pos, reader.len);
        }),
      );
    });
  }

  it('read back bytes, as a copy', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (value) => {
        // A Buffer, as sockets give them: its own `slice` would share the memory.
        const encoded = Buffer.from(new BinaryWriter().bytes(value).finish());
        const read = new BinaryReader(encoded).bytes();
        encoded.fill(0);
        assert.deepEqual(read, value);
      }),
    );
  });

  it('write numbers as text and bigint alike', () => {
    const hex = (write: (writer: BinaryWriter) => BinaryWriter): string =>
      Buffer.from(write(new BinaryWriter()).finish()).toString('hex');
    assert.equal(
      hex((writer) => writer.int64(-1)),
      hex((writer) => writer.int64('-1')),
    );
    assert.equal(
      hex((writer) => writer.uint64(2 ** 40)),
      hex((writer) => writer.uint64(2n ** 40n)),
    );
    assert.equal(
      hex((writer) => writer.int64(5)),
      '05',
    );
  });

  it('put the length before nested messages of any size', () => {
    for (const size of [0, 1, 127, 128, 16_383, 16_384, 300_000]) {
      const content = new Uint8Array(size).fill(7);
      const writer = new BinaryWriter().tag(1, 2).fork().tag(2, 2).fork().raw(content).join().join();
      const reader = new BinaryReader(writer.finish());
      assert.equal(reader.uint32(), 10);
      const outer = reader.enter(reader.uint32());
      assert.equal(reader.uint32(), 18);
      assert.deepEqual(reader.bytes(), content);
      assert.equal(reader.pos, reader.len);
      reader.leave(outer);
    }
  });
});

describe('BinaryWriter', () => {
  it('refuses values that the type cannot hold', () => {
    const writer = new BinaryWriter();
    assert.throws(() => writer.uint32(-1), WireError);
    assert.throws(() => writer.uint32(1.5), WireError);
    assert.throws(() => writer.uint32(Number.NaN), WireError);
    assert.throws(() => writer.int32(2 ** 31), WireError);
    assert.throws(() => writer.int64(2n ** 63n), WireError);
    assert.throws(() => writer.uint64(-1), WireError);
    assert.throws(() => writer.uint64(1.5), WireError);
    assert.throws(() => writer.int64('x'), WireError);
  });

  it('notices nested messages that are not ended, or not begun', () => {
    assert.throws(() => new BinaryWriter().fork().finish(), WireError);
    assert.throws(() => new BinaryWriter().join(), WireError);
  });
});

describe('BinaryReader', () => {
  const reader = (...bytes: number[]): BinaryReader => new BinaryReader(Uint8Array.from(bytes));

  it('refuses what ends in the middle of a value', () => {
    assert.throws(() => reader().uint32(), WireError);
    assert.throws(() => reader(0x80).uint32(), WireError);
    assert.throws(() => reader(0x80).uint64(), WireError);
    assert.throws(() => reader(1, 2, 3).fixed32(), WireError);
    assert.throws(() => reader(1, 2, 3, 4, 5, 6, 7).double(), WireError);
    assert.throws(() => reader(5, 65).string(), WireError);
    assert.throws(() => reader(0xff, 0xff, 0xff, 0xff, 0x0f).bytes(), WireError);
  });

  it('refuses varints longer than ten bytes', () => {
    const endless = reader(...Array<number>(11).fill(0x80));
    assert.throws(() => endless.uint32(), WireError);
    assert.throws(() => reader(...Array<number>(11).fill(0x80)).uint64(), WireError);
  });

  it('keeps the low 32 bits of a longer varint, as protobuf demands', () => {
    assert.equal(reader(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01).int32(), -1);
    assert.equal(reader(0x85, 0x80, 0x80, 0x80, 0x80, 0x01).uint32(), 5);
  });

  it('refuses strings that are not UTF-8, short and long', () => {
    assert.throws(() => reader(1, 0xff).string(), WireError);
    assert.throws(() => reader(2, 0xc3, 0x28).string(), WireError);
    const long = new Uint8Array(102).fill(0x61);
    long[0] = 100;
    long[50] = 0x80;
    assert.throws(() => new BinaryReader(long).string(), WireError);
  });

  it('keeps a byte order mark', () => {
    const text = '\uFEFFname';
    assert.equal(new BinaryReader(new BinaryWriter().string(text).finish()).string(), text);
  });

  it('does not let a nested message be longer than the one around it', () => {
    const inner = reader(1, 2, 3, 4);
    const outer = inner.enter(2);
    assert.throws(() => inner.enter(3), WireError);
    inner.leave(outer);
    inner.enter(2);
    assert.throws(() => inner.fixed32(), WireError);
  });

  it('refuses messages nested too deep', () => {
    const deep = reader();
    for (let depth = 0; depth < maxNesting; depth++) deep.enter(undefined);
    assert.throws(() => deep.enter(undefined), WireError);
  });

  it("steps over groups, and refuses those that don't match", () => {
    const tag = (number: number, type: number): number => (number << 3) | type;
    const group = reader(tag(2, 0), 1, tag(1, 3), tag(1, 4), tag(3, 4), 42);
    assert.deepEqual([...group.skip(tag(3, 3))], [tag(2, 0), 1, tag(1, 3), tag(1, 4), tag(3, 4)]);
    assert.equal(group.uint32(), 42);
    assert.throws(() => reader(tag(2, 4)).skip(tag(3, 3)), WireError);
    assert.throws(() => reader(1).skip(tag(3, 4)), WireError);
    assert.throws(() => reader(...Array<number>(500).fill(tag(3, 3))).skip(tag(3, 3)), WireError);
  });

  it('refuses the field number 0 and wire types that do not exist', () => {
    assert.throws(() => reader(1).skip(0), WireError);
    assert.throws(() => reader(1).skip(0x0e), WireError);
    assert.throws(() => reader(1).skip(0x0f), WireError);
  });
});
