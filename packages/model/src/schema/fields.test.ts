import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duration, parseDurationMs } from './fields.ts';

test('reads durations as Go writes them', () => {
  const durations: readonly [string, number][] = [
    ['5s', 5000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['100ms', 100],
    ['.5s', 500],
    ['0', 0],
    ['1us', 0.001],
  ];
  for (const [text, ms] of durations) assert.equal(parseDurationMs(text), ms, text);
});

test('reads nothing else', () => {
  for (const text of ['', '5', '-1s', '5 s', '1d', 's', '1s1', '99999999999h', '１s']) {
    assert.equal(parseDurationMs(text), undefined, text);
  }
});

test('a duration is at least a millisecond', () => {
  assert.equal(duration.safeParse('1ms').success, true);
  assert.equal(duration.safeParse('999us').success, false);
});
