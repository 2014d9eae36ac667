// The heads are those of Envoy 1.40, without `date` and `server`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { addGrpcReply } from './local-reply.ts';
import { encodeGrpcMessage } from './message-encoding.ts';

function reply(
  httpStatus: number,
  body: string,
  { grpcStatus = -1, isHead = false, fields = FieldList.of() } = {},
) {
  addGrpcReply(fields, httpStatus, body, grpcStatus, isHead);
  return fields.lines();
}

test('an answer of the proxy’s own is all head, with the status that stands for HTTP’s', () => {
  assert.equal(
    reply(503, 'no healthy upstream'),
    'content-type: application/grpc\r\ngrpc-status: 14\r\ngrpc-message: no healthy upstream\r\n',
  );
  assert.equal(reply(404, ''), 'content-type: application/grpc\r\ngrpc-status: 12\r\n');
});

test('some answers have a status of their own', () => {
  const lines = reply(504, 'downstream duration timeout', { grpcStatus: 4 });
  assert.equal(
    lines,
    'content-type: application/grpc\r\ngrpc-status: 4\r\ngrpc-message: downstream duration timeout\r\n',
  );
});

test('the answer to HEAD has no message, and a status that is there already stays', () => {
  assert.equal(reply(503, 'x', { isHead: true }), 'content-type: application/grpc\r\ngrpc-status: 14\r\n');
  const fields = FieldList.of(new Field('grpc-status', '9'));
  assert.equal(reply(503, '', { fields }), 'grpc-status: 9\r\ncontent-type: application/grpc\r\n');
});

test('messages are percent-encoded, as Envoy does it', () => {
  assert.equal(encodeGrpcMessage('slow~ down % é\n'), 'slow%7E down %25 %C3%A9%0A');
  assert.equal(encodeGrpcMessage('a "b" {c}|$&\u007f'), 'a "b" {c}|$&%7F');
  assert.equal(encodeGrpcMessage(''), '');
});

test('no message can end the field that it stands in, and each is read back as it was', () => {
  const every = Array.from({ length: 0x500 }, (_, code) => String.fromCharCode(code)).join('');
  const encoded = encodeGrpcMessage(every);
  assert.match(encoded, /^[ -~]*$/);
  assert.equal(decodeURIComponent(encoded), every);
});
