import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Field } from '../../codec/field.ts';
import { FieldList } from '../../codec/field-list.ts';
import { HpackDecoder } from './decoder.ts';
import { HpackEncoder } from './encoder.ts';
import { HpackError } from './hpack-error.ts';
import { sharedFields } from '../../codec/shared-fields.ts';

/** An encoder and the decoder of its peer, which checks each block. */
class Pair {
  readonly encoder: HpackEncoder;
  readonly decoder: HpackDecoder;
  private readonly decoded = new FieldList();

  constructor(largestTable = 4096, maxTableSize = 4096) {
    this.encoder = new HpackEncoder(largestTable);
    this.decoder = new HpackDecoder({ maxTableSize, maxListBytes: 1_000_000, maxFields: 1000 });
  }

  /** The block in hex. */
  send(...fields: readonly Field[]): string {
    const list = FieldList.of(...fields);
    const out = Buffer.alloc(list.decodedBytes + 12);
    const end = this.encoder.encode(list, out, 0);
    assert.equal(this.decoder.decode(out, 0, end, this.decoded), HpackError.none);
    const plain = ({ name, value, isNeverIndexed }: Field): unknown => [name, value, isNeverIndexed];
    assert.deepEqual(
      this.decoded.fields.slice(0, this.decoded.length).map(plain),
      // A guessable secret becomes one that is never indexed.
      fields.map((field, i) => [field.name, field.value, this.decoded.fields[i]!.isNeverIndexed]),
    );
    return out.toString('hex', 0, end);
  }

  get received(): readonly Field[] {
    return this.decoded.fields.slice(0, this.decoded.length);
  }
}

function repeated(name: string, value: string): Field {
  return sharedFields.hold(new Field(name, value));
}

/** The first byte of a block: its representation. */
function form(block: string): string {
  const byte = Number.parseInt(block.slice(0, 2), 16);
  if (byte >= 0x80) return 'indexed';
  if (byte >= 0x40) return 'new entry';
  if (byte >= 0x20) return 'size update';
  return byte >= 0x10 ? 'never indexed' : 'not indexed';
}

describe('what goes into the table', () => {
  test('a field that repeats: at once where the cache knows it', () => {
    const pair = new Pair();
    const path = repeated(':path', '/shop.Cart/AddItem');
    assert.equal(form(pair.send(path)), 'new entry');
    assert.equal(pair.send(path), 'be');
  });

  test('a field seen for the first time does not, the second time it does', () => {
    const pair = new Pair();
    const forms = [1, 2, 3].map(() => {
      const list = new FieldList();
      const block = Buffer.from('04072f6f6e65746d65', 'hex');
      const peer = new HpackDecoder({ maxTableSize: 4096, maxListBytes: 1000, maxFields: 10 });
      assert.equal(peer.decode(block, 0, block.length, list), HpackError.none);
      return form(pair.send(list.fields[0]!));
    });
    assert.deepEqual(forms, ['not indexed', 'new entry', 'indexed']);
  });

  test('a constant that nobody has put into the cache does from its second use on', () => {
    const pair = new Pair();
    const constant = new Field(':authority', 'constant.example');
    assert.deepEqual(
      [1, 2, 3].map(() => form(pair.send(constant))),
      ['not indexed', 'new entry', 'indexed'],
    );
    assert.equal(form(new Pair().send(constant)), 'new entry', 'on other connections from the first on');
  });

  test('a text that is made into a field each time does from its second use on', () => {
    const pair = new Pair();
    assert.deepEqual(
      [1, 2, 3].map(() => form(pair.send(new Field('accept-language', 'made anew')))),
      ['not indexed', 'new entry', 'indexed'],
    );
  });

  test('values that never repeat do not: paths, request ids, lengths, dates', () => {
    const pair = new Pair();
    const anchor = repeated('anchor', 'a');
    pair.send(anchor);
    for (const name of [':path', 'content-length', 'date']) {
      for (let i = 1000; i < 1100; i++)
        assert.equal(form(pair.send(new Field(name, `${name}-${i}`))), 'not indexed');
    }
    assert.equal(pair.send(anchor), 'be', 'nothing was added behind it');
  });

  test('the first value of a name of no table does, so that those that follow need no name', () => {
    const pair = new Pair();
    assert.equal(form(pair.send(new Field('x-trace-of-mine', 'a0'))), 'not indexed', 'it may not come again');
    assert.equal(form(pair.send(new Field('x-trace-of-mine', 'a1'))), 'new entry');
    for (const value of ['b2', 'c3', 'd4']) {
      // 62, the newest entry, with its 4 bits used up; 2 bytes of value.
      assert.equal(
        pair.send(new Field('x-trace-of-mine', value)),
        `0f2f02${Buffer.from(value).toString('hex')}`,
      );
    }
  });

  test('a field larger than half of the table does not', () => {
    const pair = new Pair(512);
    assert.equal(form(pair.send(repeated('a', 'x'.repeat(224))).slice(6)), 'not indexed');
    assert.equal(form(pair.send(repeated('a', 'x'.repeat(223)))), 'new entry');
  });
});

describe('secrets', () => {
  for (const name of ['authorization', 'proxy-authorization', 'cookie', 'set-cookie']) {
    test(`a short ${name} is in no table, here or further on`, () => {
      const pair = new Pair();
      for (const field of [new Field(name, 'guess me'), repeated(name, 'guess me too')]) {
        for (let i = 0; i < 3; i++) {
          assert.equal(form(pair.send(field)), 'never indexed');
          assert.equal(pair.received[0]!.isNeverIndexed, true);
        }
      }
    });
  }

  test('what came as never indexed goes on as that', () => {
    const pair = new Pair();
    repeated('x-key', 'a secret that is shared');
    for (let i = 0; i < 3; i++) {
      assert.equal(form(pair.send(new Field('x-key', 'a secret that is shared', true))), 'never indexed');
      assert.equal(pair.received[0]!.isNeverIndexed, true);
    }
  });

  test('a long one may be, where it repeats', () => {
    const pair = new Pair();
    const token = repeated('authorization', 'Bearer 0123456789abcdef');
    pair.send(token);
    assert.equal(pair.send(token), 'be');
  });
});

describe('numbers of fields that are given to others', () => {
  /** Drives a field out of the cache; returns the one that has got its number. */
  function driveOut(field: Field): Field {
    const { id } = field;
    for (let i = 0; i < 100_000; i++) {
      const other = sharedFields.hold(new Field('flood', `${i} for ${id}`));
      if (field.id < 0) return other;
      // One that is used drives out others.
      sharedFields.hold(new Field('flood', other.value));
    }
    throw new Error('the cache drops nothing');
  }

  test('never make it say another field', () => {
    const pair = new Pair();
    const old = repeated('old', 'value');
    pair.send(old);
    assert.equal(pair.send(old), 'be');
    const { id } = old;
    const young = driveOut(old);
    assert.equal(young.id, id);
    assert.equal(form(pair.send(young)), 'new entry');
    assert.equal(pair.send(young), 'be');
  });

  test('a field that has left the cache comes back', () => {
    const pair = new Pair();
    const field = repeated('gone', 'and back');
    driveOut(field);
    assert.equal(form(pair.send(field)), 'new entry');
    assert.ok(field.id >= 0);
    assert.equal(form(pair.send(field)), 'indexed');
  });

  test('a field that is sent all the time is not driven out', () => {
    const pair = new Pair();
    const field = repeated('in', 'use');
    for (let i = 0; i < 20_000; i++) {
      pair.encoder.encode(FieldList.of(field), Buffer.alloc(64), 0);
      const other = new Field('flood of names', `${i}`);
      sharedFields.hold(other);
      sharedFields.hold(new Field('flood of names', other.value));
      assert.ok(field.id >= 0);
    }
  });

  test('large numbers cost smaller ones nothing', () => {
    const pair = new Pair();
    const fields = Array.from({ length: 60 }, (_, i) => repeated('numbered', `${i}`));
    pair.send(...fields);
    const last = repeated('numbered', 'last');
    const { id } = last;
    last.id = 16_000;
    pair.send(last);
    last.id = id;
    for (const field of fields) assert.equal(form(pair.send(field)), 'indexed');
  });

  test('any number of fields is said rightly while numbers are given anew', () => {
    const pair = new Pair();
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return state % below;
    };
    // More than the cache holds, each often enough to be taken in; `send` compares.
    for (let i = 0; i < 20_000; i++) {
      const field = new Field(`many-${random(40)}`, `${random(100)}`);
      pair.send(random(2) === 0 ? field : sharedFields.hold(field));
    }
  });
});

describe("the table's size", () => {
  test('is 4096 without a word', () => {
    assert.equal(new Pair().send(repeated('a', 'b')).slice(0, 2), '40');
    const allowed = new Pair();
    allowed.encoder.setMaxTableSize(65_536);
    assert.equal(allowed.send(repeated('a', 'b')).slice(0, 2), '40', 'more than we want');
  });

  test('is told in the next block and no other', () => {
    const pair = new Pair(65_536, 65_536);
    pair.encoder.setMaxTableSize(8192);
    const field = repeated('a', 'b');
    assert.equal(pair.send(field).slice(0, 6), '3fe13f');
    assert.equal(pair.decoder.tableSize, 8192);
    assert.equal(pair.send(field), 'be');
  });

  test('is no more than we want', () => {
    const pair = new Pair(0);
    assert.equal(pair.send(), '20');
    const field = repeated('a', 'b');
    pair.send(field);
    assert.equal(form(pair.send(field)), 'not indexed');
  });

  test('goes through the smallest of several (RFC 7541 §4.2)', () => {
    const pair = new Pair();
    const field = repeated('a', 'b');
    pair.send(field);
    pair.encoder.setMaxTableSize(100);
    pair.encoder.setMaxTableSize(0);
    pair.encoder.setMaxTableSize(4096);
    assert.equal(pair.send(field).slice(0, 10), '203fe11f40');
    assert.equal(pair.send(field), 'be');
  });

  test('a smaller one is what the peer has acknowledged when the next block comes', () => {
    const pair = new Pair();
    const field = repeated('a', 'b');
    pair.send(field);
    pair.decoder.setMaxTableSize(60);
    pair.encoder.setMaxTableSize(60);
    pair.send(field);
    assert.equal(pair.decoder.tableSize, 60);
  });
});

test('strings are in Huffman code where that is shorter', () => {
  const pair = new Pair();
  assert.equal(pair.send(new Field(':path', '/aaaaaaa')), '0486606318c631ff');
  assert.equal(pair.send(new Field(':path', '/<>')), '04032f3c3e');
  assert.equal(pair.send(new Field(':path', '/ÿÿÿ')), `0404${Buffer.from('/ÿÿÿ', 'latin1').toString('hex')}`);
});

test('a field takes no more room than its size says', () => {
  for (const [name, value] of [
    ['n', ''],
    ['n'.repeat(127), 'ÿ'.repeat(127)],
    ['n'.repeat(3000), 'ÿ'.repeat(300_000)],
    ['\u0001'.repeat(70_000), '\u0001'.repeat(70_000)],
  ] as const) {
    const field = new Field(name, value, true);
    const out = Buffer.alloc(field.size, 0xaa);
    const end = new HpackEncoder(4096).encodeField(field, out, 0);
    assert.ok(end <= field.size);
  }
});
