import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnOf, lastKnown, roundUp, secondsUpTo, shareColumn } from './chart-data.ts';

test('names the seconds of a window, the newest last', () => {
  assert.deepEqual(secondsUpTo(100, 3), [98, 99, 100]);
});

test('leaves out what is not known', () => {
  assert.deepEqual(columnOf(Float64Array.of(1, NaN, 0)), [1, null, 0]);
  assert.equal(lastKnown([1, 3, null]), 3);
  assert.equal(lastKnown([null]), null);
});

test('has no share of errors for a second without requests', () => {
  assert.deepEqual(shareColumn(Float64Array.of(4, 0, NaN), Float64Array.of(1, 0, NaN)), [0.25, null, null]);
});

test('rounds the top of an axis up to a round number', () => {
  const tops = [0, 0.03, 1, 1.1, 2.3, 4, 7, 10, 11, 480].map(roundUp);
  assert.deepEqual(tops, [1, 0.03, 1, 1.5, 2.5, 4, 8, 10, 15, 500]);
});
