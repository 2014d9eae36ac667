import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFieldFilter } from '../codec/field-filter.ts';
import { FieldId } from '../codec/field-name.ts';
import { FieldList } from '../codec/field-list.ts';
import { BodyKind } from '../codec/message-view.ts';
import { FieldHead } from './field-head.ts';
import { fieldsOf } from './test-servers.ts';

class Head extends FieldHead {
  constructor(fields: FieldList, hasBody: boolean) {
    super();
    this.take(fields, hasBody);
  }

  lines(replaced: readonly string[] | null = null): string {
    return this.keptLines(createFieldFilter([]), replaced);
  }
}

test('a head has the fields behind its pseudo-headers, and goes on without what is filtered or replaced', () => {
  const list = fieldsOf([':path', '/'], ['a', '1'], ['te', 'trailers'], ['b', '2'], ['a', '3']);
  const head = new Head(list, false);
  assert.deepEqual([head.header(':path'), head.header('a'), head.header('c')], [null, '1,3', null]);
  assert.deepEqual([head.headerValue('a', 1), head.headerValue('a', 2)], ['3', null]);
  assert.deepEqual([head.valueById(FieldId.te), head.joinedById(FieldId.via)], ['trailers', null]);
  assert.equal(head.lines(), 'a: 1\r\nb: 2\r\na: 3\r\n');
  const kept = new FieldList();
  head.keptFields(createFieldFilter([]), ['b'], kept);
  assert.equal(kept.lines(), 'a: 1\r\na: 3\r\n');
  assert.equal(kept.fields[0], list.fields[1]);
});

test('crumbs of Cookie are one field to all but HTTP/2', () => {
  const head = new Head(fieldsOf(['cookie', 'a=1'], ['x', 'y'], ['cookie', 'b=2']), false);
  assert.equal(head.header('cookie'), 'a=1; b=2');
  assert.deepEqual([head.headerValue('cookie', 0), head.headerValue('cookie', 1)], ['a=1; b=2', null]);
  assert.equal(head.lines(), 'cookie: a=1; b=2\r\nx: y\r\n');
  const kept = new FieldList();
  head.keptFields(createFieldFilter([]), null, kept);
  assert.equal(kept.length, 3);
});

test('the body is as long as Content-Length says, lasts to the end, or is none', () => {
  const kinds = [
    new Head(fieldsOf(['content-length', '12']), true),
    new Head(fieldsOf(['content-length', '12']), false),
    new Head(fieldsOf(), true),
  ].map(({ bodyKind, contentLength }) => [bodyKind, contentLength]);
  assert.deepEqual(kinds, [
    [BodyKind.length, 12],
    [BodyKind.none, 0],
    [BodyKind.untilEnd, 0],
  ]);
});
