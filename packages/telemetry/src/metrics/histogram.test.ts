import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationBucketsMs, Histogram } from './histogram.ts';

test('counts a value in the first bucket whose bound is not below it', () => {
  const histogram = new Histogram([1, 5, 10]);
  for (const value of [0, 1, 1.001, 5, 10, 10.5, 1e9]) histogram.observe(value);
  assert.deepEqual([...histogram.counts], [2, 2, 1, 2]);
  assert.equal(histogram.count, 7);
  assert.equal(histogram.sum, 0 + 1 + 1.001 + 5 + 10 + 10.5 + 1e9);
});

test('a value that is not a number leaves the sum as it was', () => {
  const histogram = new Histogram([1]);
  histogram.observe(Number.NaN);
  histogram.observe(0.25);
  assert.equal(histogram.sum, 0.25);
  assert.equal(histogram.count, 2);
});

test('finds the same bucket as a linear search for every bound and its neighbours', () => {
  const histogram = new Histogram(durationBucketsMs);
  const values = durationBucketsMs.flatMap((bound) => [bound - 0.01, bound, bound + 0.01]);
  const expected = Array.from({ length: durationBucketsMs.length + 1 }, () => 0);
  for (const value of values) {
    histogram.observe(value);
    const index = durationBucketsMs.findIndex((bound) => value <= bound);
    expected[index < 0 ? durationBucketsMs.length : index]!++;
  }
  assert.deepEqual([...histogram.counts], expected);
});

test('refuses bounds that do not ascend', () => {
  assert.throws(() => new Histogram([1, 1]), /ascend/);
});
