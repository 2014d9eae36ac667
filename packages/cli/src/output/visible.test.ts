import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visible } from './visible.ts';

test('shows what a terminal would obey or hide, and leaves all else', () => {
  assert.equal(visible('\u001b[31mred\r\n\0'), String.raw`\x1b[31mred\r\n\x00`);
  assert.equal(
    visible('\u009b2J \u202egnp.exe \u2066 a\u200bb'),
    String.raw`\x9b2J \u202egnp.exe \u2066 a\u200bb`,
  );
  for (const text of ['a\tb', 'Žluťoučký 👍', "plain 'text'"]) assert.equal(visible(text), text);
});
