import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricRegistry } from '@heddle/telemetry';
import { GrpcCall, type MessageTotals } from './grpc-call.ts';
import { MethodMetrics } from './method-metrics.ts';

const twoMessages = Buffer.from([0, 0, 0, 0, 1, 0x61, 0, 0, 0, 0, 0]);

function setUp() {
  const registry = new MetricRegistry();
  const scope = registry.scope();
  const metrics = new MethodMetrics(scope, 'envoy_cluster_grpc_', {});
  const webMetrics = new MethodMetrics(scope, 'envoy_cluster_grpc_web_', {});
  const totals: MessageTotals = {
    requests: scope.counter('requests', 'x'),
    responses: scope.counter('responses', 'x'),
  };
  const value = (name: string): number => scope.counter(name, 'x').value;
  return { metrics, webMetrics, totals, value };
}

test('messages are counted both ways, by method and by caller', () => {
  const { metrics, totals } = setUp();
  const call = new GrpcCall();
  call.begin();
  call.countIn(metrics, null, totals);
  for (let at = 0; at < twoMessages.length; at++) call.onRequestData(twoMessages, at, at + 1);
  call.onResponseHead(200, 'application/grpc', null, false);
  call.onResponseData(twoMessages, 0, 6);
  call.onResponseData(twoMessages, 6, 11);
  assert.deepEqual([metrics.requestMessages.value, metrics.responseMessages.value], [2, 2]);
  assert.deepEqual([totals.requests.value, totals.responses.value], [2, 2]);
});

test('a response that isn’t gRPC’s has no messages', () => {
  const { metrics, totals } = setUp();
  const call = new GrpcCall();
  call.begin();
  call.countIn(metrics, null, totals);
  call.onResponseHead(200, 'text/html', null, false);
  call.onResponseData(twoMessages, 0, twoMessages.length);
  assert.deepEqual([metrics.responseMessages.value, totals.responses.value], [0, 0]);
});

test('a status counts in the head and in the trailers, and once more for gRPC-Web', () => {
  const { metrics, webMetrics, value } = setUp();
  const call = new GrpcCall();
  call.begin();
  call.countIn(metrics, webMetrics, null);
  call.onResponseHead(200, 'application/grpc', null, false);
  call.onTrailers('5');
  assert.equal(call.status(200), 5);
  call.begin();
  call.countIn(metrics, null, null);
  call.onResponseHead(200, 'application/grpc', '0', true);
  assert.equal(call.status(200), 0);
  assert.deepEqual([value('envoy_cluster_grpc_5'), value('envoy_cluster_grpc_0')], [1, 1]);
  assert.deepEqual([value('envoy_cluster_grpc_web_5'), value('envoy_cluster_grpc_web_0')], [1, 0]);
});

test('without a status the HTTP status says how a call ended, and nothing of the call before does', () => {
  const call = new GrpcCall();
  call.begin();
  call.countIn(null, null, null);
  call.onResponseHead(200, 'application/grpc', '7', false);
  call.onTrailers('8');
  call.begin();
  call.countIn(null, null, null);
  assert.equal(call.status(0), -1);
  call.onResponseHead(503, 'text/html', null, false);
  call.onTrailers(null);
  assert.equal(call.status(503), 14);
});

test('a call that was cut off within a message leaves nothing to the next', () => {
  const { metrics } = setUp();
  const call = new GrpcCall();
  for (const expected of [1, 3]) {
    call.begin();
    call.countIn(metrics, null, null);
    call.onRequestData(twoMessages, 0, expected === 1 ? 3 : 11);
    assert.equal(metrics.requestMessages.value, expected);
  }
});
