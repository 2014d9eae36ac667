import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { ChunkScanner, chunkError } from './chunk-scanner.ts';

/** Runs the bytes through the scanner in the given pieces; the forwarded bytes and how many were taken, or the error. */
function run(
  text: string,
  cuts: readonly number[] = [],
): { readonly forwarded: string; readonly taken: number } | 'error' | 'incomplete' {
  const bytes = Buffer.from(text, 'latin1');
  const scanner = new ChunkScanner();
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let forwarded = '';
  let at = 0;
  for (const end of [...ends, bytes.length]) {
    while (at < end) {
      const wasInTrailers = scanner.isInTrailers;
      const stop = scanner.scan(bytes, at, end);
      if (stop === chunkError) return 'error';
      if (!wasInTrailers) forwarded += bytes.toString('latin1', at, stop);
      at = stop;
      if (scanner.isDone) return { forwarded: `${forwarded}\r\n`, taken: at };
    }
  }
  return 'incomplete';
}

describe('the chunk scanner', () => {
  test('forwards framing as it is, without trailers, and stops at the end', () => {
    assert.deepEqual(run('5;a=b\r\nhello\r\n00\r\nX-Trailer: 1\r\n\r\nNEXT'), {
      forwarded: '5;a=b\r\nhello\r\n00\r\n\r\n',
      taken: 34,
    });
    assert.notEqual(run('5;a;b=c;d="e;\\"f\tg"\r\nhello\r\n0\r\n\r\n'), 'error');
    assert.deepEqual(run('0\r\n\r\n'), { forwarded: '0\r\n\r\n', taken: 5 });
  });

  for (const bad of [
    'g\r\n',
    '+5\r\nhello\r\n',
    '0x5\r\nhello\r\n',
    ' 5\r\nhello\r\n',
    '5 \r\nhello\r\n',
    '5\nhello\r\n',
    '5\r\nhelloX',
    '5\r\nhello\n',
    '5;\n\r\nhello',
    '5;a\0\r\n',
    '5;\r\nhello\r\n',
    '5;;a\r\nhello\r\n',
    '5;a=\r\nhello\r\n',
    '5; a=b\r\nhello\r\n',
    '5;a="b\r\nhello\r\n',
    '5;a="b\\"\r\nhello\r\n',
    '5;a="b"c\r\nhello\r\n',
    '1234567890123\r\n',
    '0\r\nbad trailer\r\n\r\n',
    '0\r\n folded: 1\r\n\r\n',
    '0\r\n\rX',
  ]) {
    test(`refuses ${JSON.stringify(bad)}`, () => assert.equal(run(bad), 'error'));
  }

  test('bounds extensions and trailers', () => {
    assert.equal(run(`5;${'x'.repeat(5000)}\r\nhello\r\n0\r\n\r\n`), 'error');
    assert.equal(run(`0\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), 'error');
  });

  test('gives the same result for any split of the bytes', () => {
    const chunk = fc
      .string({ unit: 'binary-ascii', minLength: 1, maxLength: 20 })
      .map((data) => `${data.length.toString(16)}\r\n${data}\r\n`);
    const bodies = fc
      .tuple(
        fc.array(chunk, { maxLength: 4 }),
        fc.constantFrom('0\r\n\r\n', '0\r\nA: b\r\n\r\nX', '0;x\r\n\r\n', '0\r\n\n'),
      )
      .map(([chunks, end]) => chunks.join('') + end);
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(120), { maxLength: 10 }), (text, cuts) => {
        assert.deepEqual(run(text, cuts), run(text));
      }),
      { numRuns: 500 },
    );
  });
});
