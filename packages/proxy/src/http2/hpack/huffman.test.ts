import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { codeLengths, codes, endOfString } from './huffman-code.ts';
import { huffmanRoom, readHuffman } from './huffman-decoder.ts';
import { huffmanLength, writeHuffman } from './huffman-encoder.ts';

function encoded(text: string): Buffer {
  const out = Buffer.alloc(huffmanLength(text) + 1, 0xaa);
  assert.equal(writeHuffman(text, out, 0), out.length - 1);
  assert.equal(out.at(-1), 0xaa, 'nothing is written behind the end');
  return out.subarray(0, -1);
}

/** The text, or null where `bytes` are no valid code. */
function decoded(bytes: Buffer): string | null {
  const out = Buffer.alloc(huffmanRoom(bytes.length));
  const length = readHuffman(bytes, 0, bytes.length, out);
  return length < 0 ? null : out.toString('latin1', 0, length);
}

/** Bits as text to bytes, filled up with ones. */
function bytesOfBits(bits: string): Buffer {
  const whole = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
  return Buffer.from(whole.match(/.{8}/g)!.map((byte) => Number.parseInt(byte, 2)));
}

function bitsOf(symbol: number): string {
  return codes[symbol]!.toString(2).padStart(codeLengths[symbol]!, '0');
}

test('the code is complete: every sequence of bits means something', () => {
  const sum = codeLengths.reduce((total, length) => total + 2 ** -length, 0);
  assert.equal(sum, 1);
});

test('codes are those of RFC 7541, appendix B', () => {
  assert.equal(bitsOf(0x30), '00000');
  assert.equal(bitsOf(0x61), '00011');
  assert.equal(bitsOf(0x26), '11111000');
  assert.equal(codes[0x0d], 0x3ffffffd);
  assert.equal(codes[0xf9], 0xffffffe);
  assert.equal(codes[0x7c], 0x7fc);
  assert.equal(codes[0xff], 0x3ffffee);
  assert.equal(codes[endOfString], 0x3fffffff);
});

test('every byte comes back, alone and behind up to 7 other bits', () => {
  for (let byte = 0; byte < 256; byte++) {
    const character = String.fromCharCode(byte);
    for (const before of ['', '0', '00', '000', '0X', 'X', 'XX', '&0', '\x0d']) {
      assert.equal(decoded(encoded(before + character)), before + character);
    }
  }
});

test('any bytes come back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = Buffer.from(bytes).toString('latin1');
      assert.equal(decoded(encoded(text)), text);
    }),
  );
});

test('a string whose code is accepted has no other code', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = decoded(Buffer.from(bytes));
      if (text !== null) assert.deepEqual(encoded(text), Buffer.from(bytes));
    }),
    { numRuns: 2000 },
  );
});

test('padding is up to 7 ones and nothing else', () => {
  assert.equal(decoded(bytesOfBits(bitsOf(0x30))), '0');
  assert.equal(decoded(bytesOfBits('00000110')), null, 'padding with a zero');
  assert.equal(decoded(bytesOfBits(`${bitsOf(0x30)}${'1'.repeat(11)}`)), null, 'a byte of padding too much');
  assert.equal(decoded(Buffer.from([0xff])), null, 'nothing but 8 bits of padding');
  assert.equal(decoded(Buffer.alloc(0)), '');
});

test('EOS stands in no string', () => {
  assert.equal(decoded(bytesOfBits(bitsOf(endOfString))), null);
  assert.equal(decoded(bytesOfBits(`${bitsOf(0x61)}${bitsOf(endOfString)}${bitsOf(0x61)}`)), null);
});

test('a character that is no byte is not cut to one', () => {
  // Cut to 8 bits U+010A would be a line feed.
  assert.equal(decoded(encoded('aĊb')), 'a?b');
});
