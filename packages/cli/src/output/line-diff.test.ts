import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineDiff } from './line-diff.ts';

const text = (...lines: readonly (string | number)[]): string => lines.join('\n');

test('shows what was and what is, with three lines around', () => {
  assert.deepEqual(lineDiff(text(1, 2, 3, 4, 5, 6, 'old', 8), text(1, 2, 3, 4, 5, 6, 'new', 8)), [
    '  …',
    '  4',
    '  5',
    '  6',
    '- old',
    '+ new',
    '  8',
  ]);
});

test('keeps what is the same between two changes', () => {
  assert.deepEqual(lineDiff(text('a', 'b', 'c', 'd'), text('b', 'x', 'c', 'd', 'e')), [
    '- a',
    '  b',
    '+ x',
    '  c',
    '  d',
    '+ e',
  ]);
  const far = Array.from({ length: 20 }, (_, index) => index);
  const skipped = lineDiff(text('a', ...far, 'b'), text('A', ...far, 'B')).filter((line) => line === '  …');
  assert.equal(skipped.length, 1);
});

test('says nothing where nothing changed, and everything of what is new or gone', () => {
  assert.deepEqual(lineDiff('a\nb', 'a\nb'), []);
  assert.deepEqual(lineDiff('a\nb', 'a\nb\n'), ['  a', '  b', '+ ']);
});

test('does not take seconds for texts without a common line', () => {
  const long = (word: string): string =>
    text(...Array.from({ length: 5000 }, (_, index) => `${word}${index}`));
  assert.equal(lineDiff(long('a'), long('b')).length, 10_000);
});
