import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callStatus, grpcStatusOfHttp, parseGrpcStatus } from './status.ts';

test('HTTP statuses become the gRPC statuses that gRPC’s own mapping names', () => {
  const cases: readonly [number, number][] = [
    [400, 13],
    [401, 16],
    [403, 7],
    [404, 12],
    [429, 14],
    [502, 14],
    [503, 14],
    [504, 14],
  ];
  for (const [http, grpc] of cases) assert.equal(grpcStatusOfHttp(http), grpc);
  for (const http of [200, 301, 408, 413, 500, 505]) assert.equal(grpcStatusOfHttp(http), 2);
});

test('a status is digits, and anything else is unknown', () => {
  assert.deepEqual(
    ['0', '14', '014', '77', '4294967295'].map(parseGrpcStatus),
    [0, 14, 14, 77, 4_294_967_295],
  );
  const garbage = ['', 'abc', '-1', '+14', ' 14', '1.5', '99999999999'];
  for (const value of garbage) assert.equal(parseGrpcStatus(value), 2, value);
});

test('a call has ended as its trailers say, or its head, or its HTTP status', () => {
  assert.equal(callStatus('5', '0', 200), 5);
  assert.equal(callStatus(null, '14', 200), 14);
  assert.equal(callStatus('', '14', 200), 14);
  assert.equal(callStatus(null, null, 503), 14);
  assert.equal(callStatus(null, null, 200), 2);
  assert.equal(callStatus(null, null, 0), -1);
});
