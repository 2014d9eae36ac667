// The heads are those of Envoy 1.40.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldList } from '../../codec/field-list.ts';
import { Field } from '../../codec/field.ts';
import { addOutcome } from './call-outcome.ts';

function outcome(...trailers: Field[]): [number, string] {
  const head = new FieldList();
  const status = addOutcome(200, FieldList.of(...trailers), head);
  return [status, head.lines()];
}

test('the outcome of a call is put into the head', () => {
  const message = new Field('grpc-message', 'm');
  assert.deepEqual(outcome(new Field('grpc-status', '0'), message, new Field('x-other', '1')), [
    200,
    'grpc-status: 0\r\ngrpc-message: m\r\n',
  ]);
  assert.deepEqual(outcome(), [200, '']);
});

test('a call that failed is a 503', () => {
  assert.deepEqual(outcome(new Field('grpc-status', '5')), [503, 'grpc-status: 5\r\n']);
  assert.equal(outcome(new Field('grpc-status', 'bad'))[0], 503);
});
