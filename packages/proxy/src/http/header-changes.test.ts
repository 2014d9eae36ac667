import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessLogEntry } from '@heddle/telemetry';
import { HeaderAction, type HeaderMutation } from '../routing/header-mutation.ts';
import { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { headChanges } from './header-changes.ts';

const valueOf = (name: string) => (name === 'came' ? 'old' : null);
const source = { header: valueOf, headerValue: valueOf };
const ours = (): FieldList => FieldList.of(new Field('ours', '1'), new Field('ours-too', '2'));
const lines = ours().lines();
const change = (action: HeaderAction, name: string): HeaderMutation => ({
  action,
  name,
  field: action === HeaderAction.remove ? null : new Field(name, 'new'),
  value: -1,
  keepsEmpty: false,
  formats: null,
});
// Nothing here has a format that would look at it.
const entry = {} as AccessLogEntry;

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
    const fields = ours();
    assert.deepEqual(headChanges(source, null, mutations, fields, entry, 'request'), replaced);
    assert.equal(fields.lines(), added);
  });
}

test('without changes nothing is copied', () => {
  const leftOut = ['x'];
  const fields = ours();
  assert.equal(headChanges(source, leftOut, null, fields, entry, 'request'), leftOut);
  assert.equal(fields.lines(), lines);
});
