import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCount, formatLatency, formatQuantity, formatRate, formatShare } from './number.ts';

const plain = (text: string): string => text.replaceAll('\u00A0', ' ');

test('shortens quantities and never rounds something to nothing', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [0.004, '<0.1'],
    [0.1, '0.1'],
    [1, '1'],
    [12.34, '12.3'],
    [99.94, '99.9'],
    [99.96, '100'],
    [142.4, '142'],
    [999.4, '999'],
    [999.6, '1k'],
    [1240, '1.24k'],
    [12_400, '12.4k'],
    [124_000, '124k'],
    [999_700, '1M'],
    [3_000_000_000_000, '3000G'],
  ];
  for (const [value, text] of cases) assert.equal(formatQuantity(value), text, `${value}`);
  assert.equal(formatRate(12.34), '12.3/s');
});

test('shows 0 % and 100 % only for none and all', () => {
  const cases: [number, string][] = [
    [0, '0 %'],
    [0.0001, '<0.1 %'],
    [0.024, '2.4 %'],
    [0.1, '10 %'],
    [0.9995, '>99.9 %'],
    [1, '100 %'],
  ];
  for (const [value, text] of cases) assert.equal(plain(formatShare(value)), text, `${value}`);
});

test('gives latencies the unit and the digits that fit', () => {
  const cases: [number | null, string][] = [
    [null, '–'],
    [0.4234, '0.42 ms'],
    [0.999, '1.0 ms'],
    [3.14, '3.1 ms'],
    [99.97, '100 ms'],
    [142.2, '142 ms'],
    [999.7, '1.0 s'],
    [12_340, '12.3 s'],
    [240_000, '240 s'],
  ];
  for (const [value, text] of cases) assert.equal(plain(formatLatency(value)), text, `${value}`);
});

test('counts in singular and plural', () => {
  assert.equal(plain(formatCount(1, 'instance')), '1 instance');
  assert.equal(plain(formatCount(0, 'proxy', 'proxies')), '0 proxies');
});
