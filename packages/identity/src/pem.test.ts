import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { decodePem, encodePem } from './pem.ts';

describe('PEM', () => {
  test('reads back what it writes, several blocks and text between them', () => {
    const first = randomBytes(100);
    const second = randomBytes(48);
    const text = `Bag\n${encodePem('CERTIFICATE', first)}explained\n${encodePem('CERTIFICATE', second)}`;
    const blocks = decodePem('CERTIFICATE', text.replaceAll('\n', '\r\n'));
    assert.ok(blocks.ok);
    assert.deepEqual(blocks.value, [first, second]);
  });

  test('writes lines of at most 64 characters', () => {
    const lines = encodePem('CERTIFICATE', randomBytes(100)).split('\n');
    assert.deepEqual(
      lines.slice(1, -2).map((line) => line.length),
      [64, 64, 8],
    );
  });

  const block = encodePem('CERTIFICATE', Buffer.from('secret'));
  const malformed: readonly (readonly [string, string])[] = [
    ['no block', 'hello'],
    ['a block of another kind', encodePem('PRIVATE KEY', Buffer.from('secret'))],
    ['a block of another kind behind a good one', block + encodePem('PRIVATE KEY', Buffer.from('secret'))],
    ['no end', block.replace('-----END CERTIFICATE-----', '')],
    ['an end of another kind', block.replace('END CERTIFICATE', 'END PRIVATE KEY')],
    ['an empty block', '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n'],
    ['something that is not base64', block.replace('c2Vj', 'c2-j')],
    ['base64 cut off', block.replace('c2Vj', 'c2V')],
  ];
  for (const [name, text] of malformed) {
    test(`refuses ${name} and repeats nothing of it`, () => {
      const blocks = decodePem('CERTIFICATE', text);
      assert.ok(!blocks.ok);
      assert.doesNotMatch(blocks.error, /c2Vj/);
    });
  }
});
