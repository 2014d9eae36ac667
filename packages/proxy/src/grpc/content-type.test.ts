import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGrpcContentType, isGrpcResponse } from './content-type.ts';

test('gRPC is known by its content type, exactly', () => {
  for (const value of ['application/grpc', 'application/grpc+proto', 'application/grpc+json']) {
    assert.ok(isGrpcContentType(value), value);
  }
  const others = [
    null,
    '',
    'application/grp',
    'application/GRPC',
    'application/grpc;x=y',
    'application/grpc-web',
  ];
  for (const value of [...others, 'application/grpc-web+proto', 'application/grpcx', 'text/html']) {
    assert.ok(!isGrpcContentType(value), String(value));
  }
});

test('a response is gRPC’s by status and type, or where it is all head by its grpc-status', () => {
  assert.ok(isGrpcResponse(200, 'application/grpc', null, false));
  assert.ok(!isGrpcResponse(503, 'application/grpc', '14', false));
  assert.ok(!isGrpcResponse(200, 'text/html', '14', false));
  assert.ok(isGrpcResponse(503, 'text/html', '14', true));
  assert.ok(!isGrpcResponse(200, 'application/grpc', null, true));
});
