import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesFilter } from './matches-filter.ts';

test('wants every word, in any order, case and text', () => {
  assert.equal(matchesFilter('', ['reviews']), true);
  assert.equal(matchesFilter('V2 rev', ['reviews', 'v2']), true);
  assert.equal(matchesFilter('v3 rev', ['reviews', 'v2']), false);
});

test('does not join two texts into one word', () => {
  assert.equal(matchesFilter('ab', ['a', 'b']), false);
});
