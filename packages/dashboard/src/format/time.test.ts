import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDateTime, formatDuration, formatRelative } from './time.ts';

const plain = (text: string): string => text.replaceAll('\u00A0', ' ');
const HOUR = 3_600_000;

test('says a length of time in its two largest units, rounded down', () => {
  const cases: [number, string][] = [
    [-5, '0 s'],
    [999, '0 s'],
    [45_900, '45 s'],
    [60_000, '1 min'],
    [312_000, '5 min 12 s'],
    [12 * HOUR - 1, '11 h 59 min'],
    [76 * HOUR, '3 d 4 h'],
    [87_600 * HOUR, '3650 d'],
  ];
  for (const [ms, text] of cases) assert.equal(plain(formatDuration(ms)), text, `${ms}`);
});

test('says on which side of now a moment lies', () => {
  assert.equal(plain(formatRelative(1_000_000, 1_000_500)), 'now');
  assert.equal(plain(formatRelative(1_000_000, 1_090_000)), '1 min 30 s ago');
  assert.equal(plain(formatRelative(1_000_000 + 2 * HOUR, 1_000_000)), 'in 2 h');
});

test('writes a moment as date and time of the local zone', () => {
  assert.equal(plain(formatDateTime(new Date(2026, 10, 3, 4, 5, 6).getTime())), '2026-11-03 04:05:06');
});
