import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FieldList } from '../../codec/field-list.ts';
import { Field } from '../../codec/field.ts';
import { HpackDecoder } from './decoder.ts';
import { HpackError, isCompressionError } from './hpack-error.ts';
import { huffmanLength, writeHuffman } from './huffman-encoder.ts';
import { writeInteger } from './integer.ts';
import { sharedFields } from '../../codec/shared-fields.ts';
import { staticFields } from '../../codec/static-fields.ts';

const limits = { maxTableSize: 4096, maxListBytes: 65_536, maxFields: 100 };

function createDecoder(changed: Partial<typeof limits> = {}): HpackDecoder {
  return new HpackDecoder({ ...limits, ...changed });
}

interface Decoded {
  readonly error: number;
  readonly fields: readonly string[];
}

/** Decodes a block given as hex, as bytes of text in quotes, or both: `40 01'a' 01'b'`. */
function decode(decoder: HpackDecoder, block: string, list = new FieldList()): Decoded {
  const hex = block
    .replaceAll(/'([^']*)'/g, (_, text: string) => Buffer.from(text, 'latin1').toString('hex'))
    .replaceAll(' ', '');
  const bytes = Buffer.from(`ffff${hex}ffff`, 'hex');
  const error = decoder.decode(bytes, 2, bytes.length - 2, list);
  return { error, fields: list.fields.slice(0, list.length).map(({ name, value }) => `${name}=${value}`) };
}

function literal(name: string, value: string): string {
  const string = (text: string): string => {
    const out: number[] = [];
    let rest = text.length;
    out.push(Math.min(rest, 0x7f));
    if (rest >= 0x7f) {
      for (rest -= 0x7f; rest >= 0x80; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
      out.push(rest);
    }
    return Buffer.from([...out, ...Buffer.from(text, 'latin1')]).toString('hex');
  };
  return `40${string(name)}${string(value)}`;
}

test('a block is decoded in its order, and the list holds nothing of the one before', () => {
  const decoder = createDecoder();
  const list = new FieldList();
  assert.deepEqual(decode(decoder, "82 40 01'a' 01'b' be 00 01'c' 00", list).fields, [
    ':method=GET',
    'a=b',
    'a=b',
    'c=',
  ]);
  assert.deepEqual(decode(decoder, 'be', list).fields, ['a=b']);
  assert.deepEqual(decode(decoder, '', list), { error: HpackError.none, fields: [] });
});

test('entries of the static table are always the same objects', () => {
  const list = new FieldList();
  for (const [place, field] of staticFields.entries()) {
    decode(createDecoder(), (0x81 + place).toString(16), list);
    assert.equal(list.fields[0], field);
    assert.equal(field.id, place);
  }
});

test('a field that came before on any connection is the same object, indexed or not', () => {
  const list = new FieldList();
  const seen = ["40 06'shared' 03'yes'", "00 06'shared' 03'yes'", "40 06'shared' 03'yes'"].map((block) => {
    decode(createDecoder(), block, list);
    return list.fields[0]!;
  });
  assert.equal(seen[1], seen[2]);
  assert.ok(seen[1]!.id >= staticFields.length);
});

test('a field that comes by its index is shared from then on', () => {
  const [one, other] = [createDecoder(), createDecoder()];
  const list = new FieldList();
  decode(one, "40 0a'once-index' 01'a'", list);
  const first = list.fields[0]!;
  assert.ok(first.id < 0, 'it came once');
  decode(one, 'be', list);
  assert.equal(list.fields[0], first);
  assert.ok(first.id >= 0);
  decode(other, "00 0a'once-index' 01'a'", list);
  assert.equal(list.fields[0], first);
});

test('an entry gives way to the field that is shared in the meantime, and no other entry does', () => {
  const decoder = createDecoder();
  const list = new FieldList();
  decode(decoder, "40 05'older' 01'a' 40 05'newer' 01'a'", list);
  const held = sharedFields.hold(new Field('newer', 'a'));
  assert.notEqual(list.fields[1], held);
  assert.deepEqual(decode(decoder, 'be be bf', list).fields, ['newer=a', 'newer=a', 'older=a']);
  assert.equal(list.fields[0], held);
  assert.equal(list.fields[1], held);
});

test('long values come whole, in Huffman code and without', () => {
  for (const length of [10_000, 30_000]) {
    const value = 'long value, '.repeat(length / 12);
    const coded = Buffer.alloc(huffmanLength(value));
    writeHuffman(value, coded, 0);
    const plain = literal('a', value);
    const prefix = Buffer.alloc(5);
    const end = writeInteger(coded.length, 0x7f, 0x80, prefix, 0);
    const block = `00 01'a' ${prefix.toString('hex', 0, end)} ${coded.toString('hex')} ${plain}`;
    assert.deepEqual(decode(createDecoder({ maxListBytes: 100_000 }), block).fields, [
      `a=${value}`,
      `a=${value}`,
    ]);
  }
});

test('a field that never repeats is shared with nobody', () => {
  const list = new FieldList();
  for (let i = 0; i < 100; i++) {
    decode(createDecoder(), `00 07'never-1' 03'${i + 100}'`, list);
    assert.ok(list.fields[0]!.id < 0);
  }
});

test('never indexed stays so, and is shared with nobody', () => {
  const decoder = createDecoder();
  const list = new FieldList();
  for (let i = 0; i < 3; i++) {
    decode(decoder, "10 06'secret' 01'x' 00 06'secret' 01'x'", list);
    assert.equal(list.fields[0]!.isNeverIndexed, true);
    assert.equal(list.fields[1]!.isNeverIndexed, false);
    assert.notEqual(list.fields[0], list.fields[1]);
  }
  assert.equal(decode(decoder, 'be').error, HpackError.badIndex);
});

test('what is held is bytes, not the text of the buffer it came in', () => {
  const decoder = createDecoder();
  const bytes = Buffer.from('4001610162', 'hex');
  const list = new FieldList();
  assert.equal(decoder.decode(bytes, 0, bytes.length, list), HpackError.none);
  bytes.fill(0);
  assert.deepEqual(decode(decoder, 'be').fields, ['a=b']);
});

describe('refuses', () => {
  for (const [name, block, error] of [
    ['index 0', '80', HpackError.badIndex],
    ['an index behind the table', 'be', HpackError.badIndex],
    ['the name of an entry that is not there', "7e 01'a'", HpackError.badIndex],
    ['an integer without an end', 'ff', HpackError.truncated],
    ['an integer that goes on', 'ff80', HpackError.truncated],
    ['an integer of 6 bytes', 'ff8080808001', HpackError.badInteger],
    ['an integer of many zeros', 'ff808080808000', HpackError.badInteger],
    ['a literal without a name', '40', HpackError.truncated],
    ['a name cut off', "40 02'a'", HpackError.truncated],
    ['a literal without a value', "40 01'a'", HpackError.truncated],
    ['a value cut off', "40 01'a' 02'b'", HpackError.truncated],
    ['a value of 256 MiB', "40 01'a' 7f80ffff7f 'b'", HpackError.truncated],
    ['a name in bad Huffman code', "40 81ff 01'a'", HpackError.badHuffmanCode],
    ['a value with EOS in it', "40 01'a' 84ffffffff", HpackError.badHuffmanCode],
    ['another table size behind a field', '82 20', HpackError.lateSizeUpdate],
    ['a table larger than announced', '3fe21f', HpackError.tableTooLarge],
  ] as const) {
    test(name, () => {
      const result = decode(createDecoder(), block);
      assert.equal(result.error, error);
      assert.ok(isCompressionError(error));
    });
  }

  test('a block cut off anywhere, unless what is there is whole', () => {
    const block = `82 40 03'abc' 03'def' 00 03'ghi' 8241cd 10 01'x' 7f01'${'v'.repeat(128)}'`;
    const whole = decode(createDecoder(), block);
    assert.equal(whole.error, HpackError.none);
    const hex = block
      .replaceAll(/'([^']*)'/g, (_, text: string) => Buffer.from(text).toString('hex'))
      .replaceAll(' ', '');
    let complete = 0;
    for (let length = 0; length < hex.length; length += 2) {
      const { error, fields } = decode(createDecoder(), hex.slice(0, length));
      if (error === HpackError.none) complete++;
      else assert.equal(error, HpackError.truncated);
      assert.deepEqual(fields, whole.fields.slice(0, fields.length));
    }
    assert.equal(complete, 4, 'no field, and behind each of three');
  });
});

test('integers may be longer than need be, up to 5 bytes', () => {
  assert.deepEqual(decode(createDecoder(), "0f80808000 01'a'").fields, ['accept-charset=a']);
});

describe('limits', () => {
  test('a list may be as long as the limit, counted with 32 for each field', () => {
    assert.equal(
      decode(createDecoder({ maxListBytes: 68 }), "00 01'a' 01'b' 00 01'a' 01'b'").error,
      HpackError.none,
    );
    const { error, fields } = decode(createDecoder({ maxListBytes: 67 }), "00 01'a' 01'b' 00 01'a' 01'b'");
    assert.equal(error, HpackError.listTooLarge);
    assert.deepEqual(fields, ['a=b']);
    assert.ok(!isCompressionError(error));
  });

  test('many crumbs of a cookie count each', () => {
    const crumb = "0f11 01'a'";
    assert.equal(decode(createDecoder({ maxFields: 10_000 }), crumb.repeat(1680)).error, HpackError.none);
    assert.equal(
      decode(createDecoder({ maxFields: 10_000 }), crumb.repeat(1681)).error,
      HpackError.listTooLarge,
    );
  });

  test('so do references of one byte to a large entry', () => {
    const decoder = createDecoder({ maxFields: 100_000 });
    const list = new FieldList();
    assert.equal(decode(decoder, literal('bomb', 'x'.repeat(4000)), list).error, HpackError.none);
    const { error } = decode(decoder, 'be'.repeat(16_384), list);
    assert.equal(error, HpackError.listTooLarge);
    assert.equal(list.length, 16, 'it stops where the limit is');
    assert.equal(list.fields[0], list.fields[15], 'and they are one object');
  });

  test('fields are counted', () => {
    assert.equal(decode(createDecoder({ maxFields: 3 }), '828282').error, HpackError.none);
    assert.equal(decode(createDecoder({ maxFields: 3 }), '82828282').error, HpackError.tooManyFields);
  });

  test('a list that is too long changes the table as it should', () => {
    const decoder = createDecoder({ maxListBytes: 40 });
    assert.equal(
      decode(decoder, "82 40 01'a' 01'b' 40 01'c' 01'd' 00 01'e' 01'f' 10 01'g' 01'h'").error,
      HpackError.listTooLarge,
    );
    assert.deepEqual(decode(decoder, 'be').fields, ['c=d']);
    assert.deepEqual(decode(decoder, 'bf').fields, ['a=b']);
    // An entry that doesn't fit empties the table, whether anybody wants it or not.
    assert.equal(decode(decoder, `82 ${literal('large', 'x'.repeat(4096))}`).error, HpackError.listTooLarge);
    assert.equal(decode(decoder, 'be').error, HpackError.badIndex);
  });

  test('what comes behind the limit is still checked', () => {
    const decoder = createDecoder({ maxListBytes: 40 });
    assert.equal(decode(decoder, "82 82 00 01'a' 81ff").error, HpackError.badHuffmanCode);
  });
});

describe("the table's size", () => {
  test('is what the peer says, up to what was announced', () => {
    const decoder = createDecoder({ maxTableSize: 8192 });
    assert.equal(decoder.tableSize, 4096);
    assert.equal(decode(decoder, '3fe13f').error, HpackError.none);
    assert.equal(decoder.tableSize, 8192);
    assert.equal(decode(decoder, '3fe23f').error, HpackError.tableTooLarge);
  });

  test('is 4096 before the peer has acknowledged a smaller one', () => {
    const decoder = createDecoder({ maxTableSize: 256 });
    assert.equal(decode(decoder, '2082').error, HpackError.none);
    assert.equal(decode(decoder, '3fe11f82').error, HpackError.none);
    assert.equal(decoder.tableSize, 4096);
  });

  test('0 keeps nothing', () => {
    const decoder = createDecoder();
    assert.deepEqual(decode(decoder, "20 40 01'a' 01'b'").fields, ['a=b']);
    assert.equal(decode(decoder, 'be').error, HpackError.badIndex);
  });

  test('may go down and up again in one block', () => {
    const decoder = createDecoder();
    decode(decoder, "40 01'a' 01'b'");
    assert.equal(decode(decoder, '20 3fe11f be').error, HpackError.badIndex);
  });

  test('has to shrink with the first block behind the acknowledgement of a smaller one', () => {
    for (const [block, error] of [
      ['82', HpackError.missingSizeUpdate],
      ['', HpackError.missingSizeUpdate],
      ['3fe20182', HpackError.tableTooLarge],
      ['3fe10182', HpackError.none],
      ['2082', HpackError.none],
    ] as const) {
      const decoder = createDecoder({ maxTableSize: 256 });
      assert.equal(decode(decoder, '82').error, HpackError.none, 'the peer has not heard of it');
      decoder.setMaxTableSize(256);
      assert.equal(decode(decoder, block).error, error, block);
    }
  });

  test('has to go through the smallest of several that were acknowledged', () => {
    const shrunk = (block: string): number => {
      const decoder = createDecoder();
      decoder.setMaxTableSize(100);
      decoder.setMaxTableSize(4096);
      return decode(decoder, block).error;
    };
    assert.equal(shrunk('82'), HpackError.missingSizeUpdate);
    assert.equal(shrunk('3fe11f82'), HpackError.tableTooLarge);
    // 101, then 100: the smallest comes first.
    assert.equal(shrunk('3f463f4582'), HpackError.tableTooLarge);
    assert.equal(shrunk('3f453fe11f82'), HpackError.none);

    const decoder = createDecoder();
    for (const size of [200, 100, 300]) decoder.setMaxTableSize(size);
    // 101, then 300.
    assert.equal(decode(decoder, '3f463f8d0282').error, HpackError.tableTooLarge);
  });
});

test('a name is not kept apart by how it came', () => {
  const list = new FieldList();
  // As a literal, by the static table, by the dynamic table.
  decode(createDecoder(), "40 06'accept' 01'a' 53 01'a' 7e 01'a' 0f04 01'b' 00 06'accept' 01'a'", list);
  assert.equal(new Set(list.fields.slice(0, list.length).map(({ key }) => key)).size, 1);
  assert.equal(sharedFields.ofText(list.fields[0]!.key, 'a', 0, 1), list.fields[1]);
});
