import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  equalsBytes,
  equalsText,
  equalsTextIgnoringCase,
  hashBytes,
  hashText,
  hashTextIgnoringCase,
} from './text-hash.ts';

test('bytes, text and text in capitals have the same hash', () => {
  const text = '<Content-Type: ÿ>';
  const small = text.toLowerCase();
  const bytes = Buffer.from(small, 'latin1');
  const hash = hashBytes(bytes, 1, bytes.length - 1);
  assert.equal(hashText(small, 1, small.length - 1), hash);
  assert.equal(hashTextIgnoringCase(text, 1, text.length - 1), hash);
  assert.notEqual(hashText(text, 1, text.length - 1), hash);
  assert.notEqual(hashBytes(bytes, 1, bytes.length - 2), hash);
  assert.notEqual(hashBytes(bytes, 1, bytes.length - 1, 7), hash);
});

test('a part is equal as a whole only', () => {
  const bytes = Buffer.from('xvaluey');
  assert.deepEqual(
    ['value', 'valu', 'valuey', 'valuf'].map((text) => [
      equalsBytes(text, bytes, 1, 6),
      equalsText(text, 'xvaluey', 1, 6),
      equalsTextIgnoringCase(text, 'xVALUEy', 1, 6),
    ]),
    [
      [true, true, true],
      [false, false, false],
      [false, false, false],
      [false, false, false],
    ],
  );
});
