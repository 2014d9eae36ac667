import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeaderAction, type HeaderMutation } from '../routing/header-mutation.ts';
import { headChanges } from './header-changes.ts';
import { lineValue, withoutLine } from './header-lines.ts';

const source = { header: (name: string) => (name === 'came' ? 'old' : null) };
const lines = 'ours: 1\r\nours-too: 2\r\n';
const change = (action: HeaderAction, name: string): HeaderMutation => ({ action, name, value: 'new' });

// A message with `came: old`, to which the proxy adds `ours` and `ours-too`: what is left out of it, what is added.
const cases: readonly (readonly [string, HeaderMutation[], readonly string[], string])[] = [
  ['append to what came', [change(HeaderAction.append, 'came')], [], `${lines}came: new\r\n`],
  ['append to ours', [change(HeaderAction.append, 'ours')], [], `${lines}ours: new\r\n`],
  ['add if absent', [change(HeaderAction.addIfAbsent, 'x')], [], `${lines}x: new\r\n`],
  ['add if absent, it came', [change(HeaderAction.addIfAbsent, 'came')], [], lines],
  ['add if absent, it is ours', [change(HeaderAction.addIfAbsent, 'ours')], [], lines],
  ['overwrite what came', [change(HeaderAction.overwrite, 'came')], ['came'], `${lines}came: new\r\n`],
  ['overwrite ours', [change(HeaderAction.overwrite, 'ours')], ['ours'], 'ours-too: 2\r\nours: new\r\n'],
  ['overwrite nothing', [change(HeaderAction.overwrite, 'x')], ['x'], `${lines}x: new\r\n`],
  ['overwrite if there', [change(HeaderAction.overwriteIfExists, 'came')], ['came'], `${lines}came: new\r\n`],
  ['overwrite if there, it is not', [change(HeaderAction.overwriteIfExists, 'x')], [], lines],
  ['remove what came', [change(HeaderAction.remove, 'came')], ['came'], lines],
  ['remove ours', [change(HeaderAction.remove, 'ours')], ['ours'], 'ours-too: 2\r\n'],
  [
    'what was removed is absent',
    [change(HeaderAction.remove, 'came'), change(HeaderAction.addIfAbsent, 'came')],
    ['came'],
    `${lines}came: new\r\n`,
  ],
];
for (const [name, mutations, replaced, added] of cases) {
  test(`header changes: ${name}`, () => {
    assert.deepEqual(headChanges(source, null, mutations, lines), { replaced, added });
  });
}

test('without changes nothing is copied', () => {
  const leftOut = ['x'];
  const changes = headChanges(source, leftOut, null, lines);
  assert.equal(changes.replaced, leftOut);
  assert.equal(changes.added, lines);
});

test('a line is found by its whole name', () => {
  const text = 'a: b: 1\r\nb: 2\r\nxb: 3\r\nb: 4\r\n';
  assert.equal(lineValue(text, 'b'), '2,4');
  assert.equal(lineValue(text, 'a'), 'b: 1');
  assert.equal(lineValue(text, 'c'), null);
  assert.equal(withoutLine(text, 'b'), 'a: b: 1\r\nxb: 3\r\n');
});
