import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HistoryChange } from '@heddle/control-plane';
import { renderHistory } from './history-table.ts';

function entry(names: readonly string[]): Parameters<typeof renderHistory>[0][number] {
  const changes = names.map(
    (name) => ({ kind: 'VirtualService', namespace: 'default', name, change: 'configured' }) as HistoryChange,
  );
  return { revision: 7, at: 0, author: 'admin', changes };
}

const four = entry(['reviews', 'ratings', 'details', 'productpage']);

test('names as many changes as fit and counts the others', () => {
  const lastLine = (available: number): string =>
    renderHistory([four], 60_000, available).split('\n')[1] ?? '';
  assert.match(lastLine(80), /VirtualService default\/reviews configured and 3 more$/);
  assert.match(lastLine(200), /default\/details configured and 1 more$/);
  assert.match(lastLine(Number.POSITIVE_INFINITY), /reviews configured and 3 more$/);
  for (const available of [40, 60, 80, 120]) assert.ok(lastLine(available).length <= available);
});

test('cuts no name where a program may read along', () => {
  const name = 'a'.repeat(120);
  assert.match(
    renderHistory([entry([name])], 0, Number.POSITIVE_INFINITY),
    new RegExp(`default/${name} configured`),
  );
});
