import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAge, formatNumber } from './units.ts';

test('prints ages as kubectl does', () => {
  const ages = [-5, 0, 12_000, 119_000, 200_000, 300_000, 3_600_000, 20 * 3_600_000, 100 * 3_600_000];
  assert.deepEqual(ages.map(formatAge), ['0s', '0s', '12s', '119s', '3m20s', '5m', '60m', '20h', '4d']);
});

test('prints numbers with the digits that matter', () => {
  assert.deepEqual([0, 0.345, 4.71, 120.4].map(formatNumber), ['0', '0.34', '4.7', '120']);
});
