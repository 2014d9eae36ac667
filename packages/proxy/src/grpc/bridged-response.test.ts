// The heads are those of Envoy 1.40.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { BridgedResponse } from './bridged-response.ts';

function finished(...trailers: Field[]): [number, string] {
  const head = new FieldList();
  const status = new BridgedResponse(100).finish(200, FieldList.of(...trailers), head);
  return [status, head.lines()];
}

test('the outcome of a call is put into the head', () => {
  const message = new Field('grpc-message', 'm');
  assert.deepEqual(finished(new Field('grpc-status', '0'), message, new Field('x-other', '1')), [
    200,
    'grpc-status: 0\r\ngrpc-message: m\r\n',
  ]);
  assert.deepEqual(finished(), [200, '']);
});

test('a call that failed is a 503', () => {
  assert.deepEqual(finished(new Field('grpc-status', '5')), [503, 'grpc-status: 5\r\n']);
  assert.equal(finished(new Field('grpc-status', 'bad'))[0], 503);
});

test('the body is held as a whole, up to a limit', () => {
  const response = new BridgedResponse(6);
  const memory = Buffer.from('-abc-');
  assert.ok(response.take(memory, 1, 4));
  assert.ok(response.take(memory, 1, 4));
  memory.fill(0);
  assert.equal(response.bytes, 6);
  assert.equal(response.body().toString(), 'abcabc');
  assert.equal(response.bytes, 0);
  assert.ok(response.take(memory, 0, 5));
  assert.ok(!response.take(memory, 0, 2));
  response.forget();
  assert.equal(response.body().length, 0);
});
