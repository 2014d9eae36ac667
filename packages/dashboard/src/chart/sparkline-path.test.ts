import assert from 'node:assert/strict';
import { test } from 'node:test';
import { largest, linePath, threadPaths } from './sparkline-path.ts';

const box = { width: 40, height: 10 };
const of = (...values: number[]): Float64Array => Float64Array.from(values);

test('draws one thread per second that had requests, scaled to the busiest', () => {
  const paths = threadPaths(of(4, 0, NaN, 2), of(0, 0, NaN, 0), box);
  assert.deepEqual(paths, { succeeded: 'M5 10V0M35 10V5', failed: '' });
});

test('puts the failed part of a thread under the part that succeeded', () => {
  assert.deepEqual(threadPaths(of(4, 4), of(1, 4), { width: 20, height: 10 }), {
    succeeded: 'M5 7.5V0',
    failed: 'M5 10V7.5M15 10V0',
  });
});

test('keeps a rare error among many requests visible', () => {
  assert.equal(threadPaths(of(1000), of(1), { width: 10, height: 10 }).failed, 'M5 10V8.5');
});

test('does not blow up a fraction of a request to full height', () => {
  assert.equal(threadPaths(of(0.5), of(0), { width: 10, height: 10 }).succeeded, 'M5 10V5');
});

test('draws a line over short silences, and a gap over long ones', () => {
  assert.equal(linePath(of(1, NaN, 2, NaN), 2, box), 'M5 5h0L25 0');
  const silence = of(1, NaN, NaN, NaN, NaN, NaN, 1);
  assert.equal(linePath(silence, 1, { width: 7, height: 1 }), 'M0.5 0h0M6.5 0h0');
});

test('draws nothing where nothing was measured', () => {
  assert.equal(linePath(of(NaN, NaN), 0, box), '');
  assert.equal(largest(of(NaN, 3, 1)), 3);
  assert.equal(largest(of(NaN)), 0);
});
