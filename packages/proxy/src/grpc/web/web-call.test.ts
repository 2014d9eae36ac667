// The heads and bodies are those of Envoy 1.40, but where a test says otherwise.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldList } from '../../codec/field-list.ts';
import { Field } from '../../codec/field.ts';
import { maxDecodedBytes } from './base64-decoder.ts';
import { maxEncodedBytes } from './base64-encoder.ts';
import { WebCall } from './web-call.ts';
import { isGrpcWebContentType, isGrpcWebText } from './web-content-type.ts';

const textType = 'application/grpc-web-text';
const trailers = FieldList.of(
  new Field('grpc-status', '0'),
  new Field('grpc-message', 'a b'),
  new Field('x-bin-bin', 'AAE='),
);
const trailersFrame = '\u0080\0\0\0\u0031grpc-status:0\r\ngrpc-message:a b\r\nx-bin-bin:AAE=\r\n';
const one = Buffer.from([0, 0, 0, 0, 3, 0x6f, 0x6e, 0x65]);

function begun(contentType: string, accept: string | null = null): WebCall {
  return new WebCall(isGrpcWebText(contentType), isGrpcWebText(accept));
}

/** What the client reads of a gRPC response: one message, then trailers. */
function response(call: WebCall): string {
  const head = new FieldList();
  call.onResponseHead(head, 200, 'application/grpc+proto', null, false);
  assert.ok(!call.isPlainResponse);
  const output = Buffer.alloc(maxEncodedBytes(one.length));
  const length = call.isTextResponse ? call.encodeResponse(one, 0, one.length, output, 0) : one.copy(output);
  return head.lines() + output.toString('latin1', 0, length) + call.finalBytes(trailers).toString('latin1');
}

test('four content types are gRPC-Web’s, to the letter', () => {
  for (const subtype of ['web', 'web+proto', 'web-text', 'web-text+proto']) {
    assert.ok(isGrpcWebContentType(`application/grpc-${subtype}`), subtype);
  }
  for (const other of ['grpc', 'grpc-web+json', 'GRPC-web', 'grpc-web; x=y', 'grpc-web-json']) {
    assert.ok(!isGrpcWebContentType(`application/${other}`), other);
  }
  assert.ok(!isGrpcWebContentType(null));
});

test('a binary client gets messages as they are and the trailers behind them', () => {
  const expected = `content-type: application/grpc-web+proto\r\n\0\0\0\0\u0003one${trailersFrame}`;
  assert.equal(response(begun('application/grpc-web')), expected);
  // The form of the request is not that of the response.
  assert.equal(response(begun(textType, '*/*')), expected);
  assert.equal(response(begun(textType, `${textType}, */*`)), expected);
});

test('a client that accepts text gets base64, a piece for each message and one for the trailers', () => {
  const frame = Buffer.from(trailersFrame, 'latin1').toString('base64');
  const expected = `content-type: application/grpc-web-text+proto\r\nAAAAAANvbmU=${frame}`;
  assert.equal(response(begun(textType, textType)), expected);
  assert.equal(response(begun('application/grpc-web', `${textType}+proto`)), expected);
});

test('a message that breaks off goes to a client of text, too (Envoy drops it)', () => {
  const call = begun(textType, textType);
  const output = Buffer.alloc(100);
  let length = call.encodeResponse(one, 0, 7, output, 0);
  length += call.finalBytes(null).copy(output, length);
  assert.equal(output.toString('latin1', 0, length), one.subarray(0, 7).toString('base64'));
  assert.equal(begun('application/grpc-web').finalBytes(null).length, 0);
});

test('a text request is decoded, and refused where it is no base64 or not all of it', () => {
  const call = begun(textType);
  const output = Buffer.alloc(maxDecodedBytes(12));
  const decode = (text: string): number =>
    call.decodeRequest(Buffer.from(text, 'latin1'), 0, text.length, output, 0);
  assert.equal(output.toString('latin1', 0, decode('AAAAAANvbmU=')), '\0\0\0\0\u0003one');
  assert.ok(call.isRequestComplete);
  assert.equal(decode('AAA'), 0);
  assert.ok(!call.isRequestComplete);
  assert.equal(decode('*'), -1);
  assert.ok(begun('application/grpc-web').isRequestComplete);
});

test('a head that is the whole response gets only its type', () => {
  for (const grpcStatus of ['14', null]) {
    const call = begun('application/grpc-web');
    const head = new FieldList();
    call.onResponseHead(head, 503, 'text/html', grpcStatus, true);
    assert.equal(head.lines(), 'content-type: application/grpc-web+proto\r\n');
    assert.ok(!call.isPlainResponse);
  }
});

test('the body of a response that isn’t gRPC’s becomes a message, with the status that stands for HTTP’s', () => {
  const call = begun(textType, textType);
  const head = new FieldList();
  call.onResponseHead(head, 503, 'text/html', null, false);
  assert.ok(call.isPlainResponse);
  call.takeText(Buffer.from('-oo-'), 1, 3);
  call.takeText(Buffer.from('p%s é'), 0, 6);
  call.addMessage(head, 503);
  assert.equal(
    head.lines(),
    'content-type: application/grpc-web-text+proto\r\ngrpc-message: oop%25s %C3%A9\r\ngrpc-status: 14\r\ncontent-length: 0\r\n',
  );
});

test('of a long body a part becomes a message', () => {
  const call = begun('application/grpc-web');
  const head = new FieldList();
  call.onResponseHead(head, 200, 'application/json', null, false);
  for (let i = 0; i < 10; i++) call.takeText(Buffer.alloc(5000, 'x'), 0, 5000);
  call.addMessage(head, 200);
  assert.equal(head.value('grpc-message')?.length, 16_384);
  assert.equal(head.value('grpc-status'), '2');
});

test('an upstream that speaks gRPC-Web itself is left alone', () => {
  const call = begun('application/grpc-web');
  call.onResponseHead(new FieldList(), 200, 'Application/grpc-web+proto; charset=utf-8', null, false);
  assert.ok(!call.isPlainResponse);
  call.onResponseHead(new FieldList(), 200, textType, null, false);
  assert.ok(call.isPlainResponse);
});
