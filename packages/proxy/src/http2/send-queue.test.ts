import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SeededRandom } from '@heddle/testkit';
import { SendQueue } from './send-queue.ts';

it('gives bytes back in the order in which they came, however they are added and taken', () => {
  const random = new SeededRandom('queue');
  const queue = new SendQueue();
  let next = 0;
  let expected = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.alloc(random.integer(0, random.chance(0.1) ? 40_000 : 60));
    for (let i = 0; i < bytes.length; i++) bytes[i] = next++ % 251;
    queue.add(bytes, 0, bytes.length);
    while (queue.length > 0 && random.chance(0.9)) {
      const { piece, pieceStart, pieceEnd } = queue;
      const taken = random.integer(1, pieceEnd - pieceStart);
      for (let i = 0; i < taken; i++) assert.equal(piece[pieceStart + i], expected++ % 251);
      queue.take(taken);
    }
    assert.equal(queue.length, next - expected);
  }
});
