import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFortio } from './fortio.ts';

const report = {
  ActualQPS: 9999.5,
  DurationHistogram: {
    Percentiles: [
      { Percentile: 50, Value: 0.000_12 },
      { Percentile: 99, Value: 0.000_5 },
      { Percentile: 99.9, Value: 0.001 },
    ],
  },
  RetCodes: { '200': 30_000, '503': 2, '-1': 1 },
};

test('reads percentiles in microseconds and counts what was not answered with 200', () => {
  const result = parseFortio(JSON.stringify(report));
  assert.deepEqual(
    [Math.round(result.p50Us), Math.round(result.p99Us), Math.round(result.p999Us)],
    [120, 500, 1000],
  );
  assert.equal(result.errors, 3);
});

test('a report without a percentile is refused', () => {
  const without = { ...report, DurationHistogram: { Percentiles: [] } };
  assert.throws(() => parseFortio(JSON.stringify(without)), /no 50th percentile/);
});
