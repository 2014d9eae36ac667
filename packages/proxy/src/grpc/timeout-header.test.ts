import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatGrpcTimeout, parseGrpcTimeout } from './timeout-header.ts';

test('reads every unit, with a part of a millisecond as a whole one', () => {
  const cases: Readonly<Record<string, number>> = {
    '1H': 3_600_000,
    '2M': 120_000,
    '3S': 3000,
    '4m': 4,
    '0S': 0,
    '1u': 1,
    '999u': 1,
    '1000u': 1,
    '1001u': 2,
    '3000u': 3,
    '1n': 1,
    '1000000n': 1,
    '1000001n': 2,
    '00000005S': 5000,
    '99999999H': 359_999_996_400_000,
  };
  for (const [value, ms] of Object.entries(cases)) assert.equal(parseGrpcTimeout(value), ms, value);
});

test('what is no timeout counts as none', () => {
  const values = ['', 'S', '5', '5s', '5x', '1.5S', '-1S', '+5S', ' 5S', '5 S', '5S5S', '0x5S', '000000005S'];
  for (const value of [...values, '100000000m', '٣S', '1S '])
    assert.equal(parseGrpcTimeout(value), -1, value);
});

test('writes the smallest unit that has room', () => {
  const cases: readonly [number, string][] = [
    [0, '0m'],
    [1.9, '1m'],
    [99_999_999, '99999999m'],
    [100_000_000, '100000S'],
    [99_999_999_999, '99999999S'],
    [100_000_000_000, '1666666M'],
    [5_999_999_940_000, '99999999M'],
    [6_000_000_000_000, '1666666H'],
    [1e18, '99999999H'],
  ];
  for (const [ms, value] of cases) assert.equal(formatGrpcTimeout(ms), value);
});

test('what is written is read as no longer than it was', () => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (ms) => {
      const read = parseGrpcTimeout(formatGrpcTimeout(ms));
      return read >= 0 && read <= ms && (ms > 99_999_999 || read === ms);
    }),
  );
});
