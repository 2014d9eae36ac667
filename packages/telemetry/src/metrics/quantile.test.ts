import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketDelta, estimateQuantile } from './quantile.ts';

test('interpolates within the bucket that holds the rank', () => {
  // 10 values in (0, 10], 10 in (10, 20].
  assert.equal(estimateQuantile(0.5, [10, 20], [10, 10, 0]), 10);
  assert.equal(estimateQuantile(0.25, [10, 20], [10, 10, 0]), 5);
  assert.equal(estimateQuantile(0.75, [10, 20], [10, 10, 0]), 15);
  assert.equal(estimateQuantile(1, [10, 20], [10, 10, 0]), 20);
});

test('gives the last bound where the quantile lies above all bounds', () => {
  assert.equal(estimateQuantile(0.99, [10, 20], [1, 0, 99]), 20);
});

test('gives null where nothing was counted', () => {
  assert.equal(estimateQuantile(0.5, [10, 20], [0, 0, 0]), null);
});

test('skips empty buckets', () => {
  assert.equal(estimateQuantile(0.5, [1, 2, 3, 4], [0, 0, 2, 0, 0]), 2.5);
});

test('a delta is what was counted between two snapshots', () => {
  assert.deepEqual([...bucketDelta([5, 7], [2, 7])], [3, 0]);
  assert.deepEqual([...bucketDelta([5, 7], null)], [5, 7]);
});

test('after a restart the newer counts stand alone', () => {
  assert.deepEqual([...bucketDelta([1, 0], [5, 7])], [1, 0]);
});
