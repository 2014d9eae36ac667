import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Column, renderTable } from './table.ts';

const columns: readonly Column<readonly [string, number]>[] = [
  { title: 'NAME', value: ([name]) => name },
  { title: 'REQ/S', value: ([, rate]) => String(rate), align: 'right' },
];

test('aligns text left and numbers right, without trailing spaces', () => {
  const text = renderTable(columns, [
    ['reviews', 5],
    ['productpage', 120],
  ]);
  assert.equal(text, 'NAME         REQ/S\nreviews          5\nproductpage    120\n');
});

test('cuts the longest cells where a terminal is too narrow, and none for a program', () => {
  const rows = [['productpage-v1-4f9a2c-with-a-long-name', 5]] as const;
  const narrow = renderTable(columns, rows, 30).split('\n');
  assert.ok(narrow.every((line) => line.length <= 30));
  assert.match(narrow[1] ?? '', /^productpage-v1-4f9a2c-… +5$/);
  assert.match(renderTable(columns, rows), /productpage-v1-4f9a2c-with-a-long-name/);
});

test('leaves something of every cell', () => {
  assert.match(renderTable(columns, [['productpage', 5]], 5), /^NAME/);
});
