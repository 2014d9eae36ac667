import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exponent } from './growth.ts';

test('the exponent of a power is found, also where it is not exact', () => {
  const of = (power: number) => [250, 500, 1000].map((size) => ({ size, cost: 3 * size ** power }));
  assert.ok(Math.abs(exponent(of(1))! - 1) < 1e-9);
  assert.ok(Math.abs(exponent(of(2))! - 2) < 1e-9);
  assert.equal(exponent(of(1).slice(0, 1)), undefined);
});
