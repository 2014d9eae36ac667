import assert from 'node:assert/strict';
import { ChunkScanner, chunkError } from '../../packages/proxy/src/http1/chunk-scanner.ts';
import { bytesOf, type FuzzTarget, randomCuts } from '../target.ts';

/** How a body ends: where, or that it is wrong, or that it has not ended. */
function follow(input: Uint8Array, cuts: readonly number[]): string {
  const scanner = new ChunkScanner();
  let position = 0;
  for (const end of [...cuts, input.length]) {
    let stops = 0;
    while (position < end) {
      const next = scanner.scan(input, position, end);
      if (next === chunkError) return 'wrong';
      assert.ok(next >= position && next <= end, 'a position within what was given');
      position = next;
      if (scanner.isDone) return `done at ${position}`;
      // It stops once more where the trailers begin.
      assert.ok(position === end || ++stops <= 1, 'it takes what it was given');
    }
  }
  return 'more';
}

/** Chunked bodies: any split of the bytes gives the same end. */
export const chunks: FuzzTarget = {
  name: 'http1-chunks',
  seeds: [
    '5\r\nhello\r\n0\r\n\r\n',
    '1;a=b\r\nx\r\nA\r\n0123456789\r\n0\r\ntrailer: yes\r\nother: no\r\n\r\nrest',
    '00000\r\n\r\n',
    'fffffffffff\r\n',
  ].map(bytesOf),
  run: (input, random) => {
    const whole = follow(input, []);
    assert.equal(
      follow(input, randomCuts(input.length, 6, random)),
      whole,
      'any split of the bytes gives the same end',
    );
    assert.equal(follow(input, Array.from(input.keys())), whole, 'byte by byte gives the same end');
  },
};
