import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldId, fieldIdOf } from './field-name.ts';
import { Field } from './field.ts';
import { FieldList } from './field-list.ts';

test('a field knows its name’s number, as it is found in bytes', () => {
  for (const name of [
    'host',
    'x-request-id',
    'accept',
    'x_request_id',
    'x-forwarded_for',
    'x-other',
    'x_other',
  ]) {
    assert.equal(new Field(name, '').fieldId, fieldIdOf(Buffer.from(name), 0, name.length), name);
  }
  assert.equal(new Field('x_request_id', '').fieldId, FieldId.neverForwarded);
});

test('a list of fields is filled, searched, thinned out and written', () => {
  const list = FieldList.of(new Field('b', '1'), new Field('a', '2'), new Field('b', '3'));
  assert.equal(list.value('b'), '1,3');
  assert.equal(list.value('c'), null);
  assert.equal(list.lines(), 'b: 1\r\na: 2\r\nb: 3\r\n');
  list.remove('b');
  assert.equal(list.lines(), 'a: 2\r\n');
  assert.deepEqual([list.has('a'), list.has('b')], [true, false]);
  const copy = new FieldList();
  copy.copy(list);
  list.clear();
  assert.deepEqual([list.lines(), copy.lines()], ['', 'a: 2\r\n']);
});
