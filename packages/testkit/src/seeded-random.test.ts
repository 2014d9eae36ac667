import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from './seeded-random.ts';

function draw(random: SeededRandom, count: number): number[] {
  return Array.from({ length: count }, () => random.uint32());
}

test('the same seed gives the same numbers, another seed others', () => {
  assert.deepEqual(draw(new SeededRandom(7), 20), draw(new SeededRandom(7), 20));
  assert.notDeepEqual(draw(new SeededRandom(7), 20), draw(new SeededRandom(8), 20));
  assert.deepEqual(draw(new SeededRandom('run 1'), 5), draw(new SeededRandom('run 1'), 5));
});

test('the sequence is fixed: a recorded seed replays after an upgrade of the testkit', () => {
  assert.deepEqual(draw(new SeededRandom(1), 3), [2442144158, 3238099751, 3819917871]);
});

test('a fork does not depend on what its parent has drawn', () => {
  const fresh = new SeededRandom(3).fork('node a');
  const used = new SeededRandom(3);
  draw(used, 100);
  assert.deepEqual(draw(used.fork('node a'), 10), draw(fresh, 10));
  assert.notDeepEqual(draw(used.fork('node b'), 10), draw(used.fork('node a'), 10));
});

test('floats and integers cover their range evenly', () => {
  const random = new SeededRandom(42);
  const counts = Array.from({ length: 10 }, () => 0);
  for (let index = 0; index < 100_000; index++) {
    const value = random.float();
    assert.ok(value >= 0 && value < 1);
    counts[random.integer(0, 9)]!++;
  }
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, `a tenth of the draws, not ${count}`);
});
