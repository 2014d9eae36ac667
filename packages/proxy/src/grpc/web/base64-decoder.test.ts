import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Base64Decoder, maxDecodedBytes } from './base64-decoder.ts';

/** What comes of characters in pieces of these sizes, the last repeated; null where they are refused. */
function decode(text: string, sizes: readonly number[] = [text.length || 1]): Buffer | null {
  const decoder = new Base64Decoder();
  const input = Buffer.from(text, 'latin1');
  const parts: Buffer[] = [];
  let at = 0;
  for (let piece = 0; at < input.length; piece++) {
    const end = Math.min(at + sizes[Math.min(piece, sizes.length - 1)]!, input.length);
    const output = Buffer.alloc(maxDecodedBytes(end - at));
    const length = decoder.decode(input, at, end, output, 0);
    if (length < 0) return null;
    parts.push(output.subarray(0, length));
    at = end;
  }
  return decoder.isComplete ? Buffer.concat(parts) : null;
}

const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 });

test('any bytes come back, however their base64 is cut', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), sizes, (bytes, sizes) => {
      const text = Buffer.from(bytes).toString('base64');
      assert.deepEqual(decode(text, sizes), Buffer.from(bytes));
    }),
  );
});

test('pieces with padding of their own follow each other', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 9 })), sizes, (pieces, sizes) => {
      const text = pieces.map((bytes) => Buffer.from(bytes).toString('base64')).join('');
      assert.deepEqual(decode(text, sizes), Buffer.concat(pieces));
    }),
  );
});

test('what is no base64 is refused, however it is cut', () => {
  const wrong = [
    ...['A', 'AA', 'AAA', 'AAAAA', 'A===', '====', '=', '=AAA', 'A=AA', 'AA=A', 'AAAA=', 'AAA=='],
    ...['AA==AAA', 'AA*AAAAA', 'AA-_', 'AA\r\nAAAA', 'AAAA AAAA', 'AAAA\n', 'AAAA\u00ff\u00ff\u00ff\u00ff'],
    // Bits behind the last byte.
    ...['AB==', 'AAB=', 'AP==', 'AAD='],
  ];
  for (const text of wrong) {
    for (let size = 1; size <= text.length; size++)
      assert.equal(decode(text, [size]), null, `${text} ${size}`);
  }
});

test('bytes are refused or give what Node gives, which is more lenient', () => {
  const characters = fc.constantFrom(...['A', 'B', '/', '+', '=', '*', '\n', '9', 'z', '_']);
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 8 }), sizes, (text, sizes) => {
      const decoded = decode(text, sizes);
      assert.deepEqual(decoded, decode(text));
      if (decoded === null || text.slice(0, -2).includes('=')) return;
      assert.deepEqual(decoded, Buffer.from(text, 'base64'));
      assert.equal(decoded.toString('base64'), text);
    }),
    { numRuns: 1000 },
  );
});
