import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sortRows, type SortValue } from './sort-rows.ts';

const sorted = (values: SortValue[], isDescending: boolean): SortValue[] =>
  sortRows(values, (value) => value, isDescending);

test('sorts numbers as numbers and names as people do', () => {
  assert.deepEqual(sorted([10, 9, 100], false), [9, 10, 100]);
  assert.deepEqual(sorted(['v10', 'v9', 'V1'], false), ['V1', 'v9', 'v10']);
});

test('puts what is not known last both ways', () => {
  assert.deepEqual(sorted([null, 2, 1], false), [1, 2, null]);
  assert.deepEqual(sorted([null, 1, 2], true), [2, 1, null]);
});

test('leaves the given rows alone', () => {
  const rows = [2, 1];
  sortRows(rows, (value) => value, false);
  assert.deepEqual(rows, [2, 1]);
});
