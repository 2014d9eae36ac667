import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from './backoff.ts';

test('doubles the wait up to ten seconds', () => {
  const waits = [0, 1, 2, 3, 4, 5, 50].map((attempt) => backoffMs(attempt, { random: () => 0.5 }));
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test('spreads the wait by a quarter both ways', () => {
  assert.equal(backoffMs(1, { random: () => 0 }), 750);
  assert.equal(backoffMs(1, { random: () => 1 }), 1250);
});
