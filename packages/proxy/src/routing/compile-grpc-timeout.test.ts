import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouteAction } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { ProblemList } from '../config/problem-list.ts';
import { compileGrpcTimeout } from './compile-grpc-timeout.ts';

function compile(action: Parameters<typeof RouteAction.fromPartial>[0]) {
  const problems = new ProblemList();
  const rules = compileGrpcTimeout(RouteAction.fromPartial(action), 'route', problems);
  return { rules, problems: problems.problems.map(({ path, message }) => `${path}: ${message}`) };
}

const seconds = (value: number) => ({ seconds: value, nanos: 0 });

test('a route without any of it has no rules', () => {
  assert.equal(compile({ timeout: seconds(3) }).rules, null);
  assert.equal(compile({ grpcTimeoutOffset: seconds(3) }).rules, null);
});

test('max_grpc_timeout limits the response, 0 by the caller alone', () => {
  const offset = { grpcTimeoutOffset: seconds(1) };
  assert.deepEqual(compile({ maxGrpcTimeout: seconds(2), ...offset }).rules, {
    kind: 'response',
    maxMs: 2000,
    offsetMs: 1000,
  });
  assert.deepEqual(compile({ maxGrpcTimeout: seconds(0) }).rules, {
    kind: 'response',
    maxMs: 0,
    offsetMs: 0,
  });
});

test('max_stream_duration takes its place, whatever is in there', () => {
  const other = { maxGrpcTimeout: seconds(2) };
  assert.deepEqual(compile({ maxStreamDuration: {}, ...other }).rules, {
    kind: 'stream',
    maxMs: -1,
    offsetMs: 0,
  });
  const duration = { grpcTimeoutHeaderMax: seconds(0), grpcTimeoutHeaderOffset: seconds(1) };
  assert.deepEqual(compile({ maxStreamDuration: duration, ...other }).rules, {
    kind: 'stream',
    maxMs: 0,
    offsetMs: 1000,
  });
});

test('negative durations are refused at their place', () => {
  const { problems } = compile({
    maxGrpcTimeout: seconds(-1),
    maxStreamDuration: { grpcTimeoutHeaderOffset: seconds(-1) },
  });
  assert.deepEqual(problems, [
    'route.max_grpc_timeout: a duration must not be negative',
    'route.max_stream_duration.grpc_timeout_header_offset: a duration must not be negative',
  ]);
});
