import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricRegistry } from '@heddle/telemetry';
import type { ExchangeRecord } from '../http/exchange-record.ts';
import { type Reporter, TrafficMetrics } from './traffic-metrics.ts';

const own = {
  service: 'reviews',
  namespace: 'default',
  version: 'v1',
  principal: 'spiffe://td/ns/default/sa/reviews',
};

function setUp(reporter: Reporter = 'destination') {
  const registry = new MetricRegistry();
  const metrics = new TrafficMetrics(registry, reporter, own);
  const exchange = (parts: Partial<ExchangeRecord>): ExchangeRecord =>
    // The metrics look at nothing else.
    ({
      downstreamPeerUriSan: 'spiffe://td/ns/shop/sa/web',
      upstreamCluster: 'outbound|9080||ratings.default.svc.cluster.local',
      responseCode: 200,
      responseFlags: '-',
      isGrpc: false,
      grpcStatus: -1,
      durationMs: 5,
      ...parts,
    }) as ExchangeRecord;
  /** The values of a family's series, by the labels asked for. */
  const series = (family: string, ...labels: string[]): Record<string, number> => {
    const found = registry.collect().find(({ name }) => name === family);
    return Object.fromEntries(
      (found?.samples ?? []).map((sample) => {
        const values = new Map(sample.labels);
        const key = labels.map((label) => values.get(label) ?? '(none)').join(' ');
        return [key, 'value' in sample ? sample.value : sample.count];
      }),
    );
  };
  return { registry, metrics, exchange, series };
}

test('requests are counted by peer and outcome', () => {
  const { metrics, exchange, series } = setUp();
  for (const responseCode of [200, 200, 404]) metrics.onFinished(exchange({ responseCode }));
  metrics.onFinished(exchange({ responseCode: 503, responseFlags: 'UF,URX' }));
  metrics.onFinished(exchange({ downstreamPeerUriSan: '' }));
  const labels = ['source_workload', 'request_protocol', 'response_code', 'response_flags'];
  assert.deepEqual(series('istio_requests_total', ...labels), {
    'web http 200 -': 2,
    'web http 404 -': 1,
    'web http 503 UF,URX': 1,
    'unknown http 200 -': 1,
  });
  assert.equal(series('istio_request_duration_milliseconds', ...labels)['web http 200 -'], 2);
});

test('gRPC calls are told apart by their own status', () => {
  const { metrics, exchange, series } = setUp();
  for (const grpcStatus of [0, 0, 14]) metrics.onFinished(exchange({ isGrpc: true, grpcStatus }));
  metrics.onFinished(exchange({ isGrpc: true, grpcStatus: 14, responseFlags: 'UH' }));
  metrics.onFinished(exchange({ isGrpc: true, grpcStatus: 14, responseCode: 503 }));
  metrics.onFinished(exchange({ isGrpc: true, responseCode: 0, responseFlags: 'DC' }));
  metrics.onFinished(exchange({}));
  const labels = ['request_protocol', 'response_code', 'grpc_response_status', 'response_flags'];
  assert.deepEqual(series('istio_requests_total', ...labels), {
    'grpc 200 0 -': 2,
    'grpc 200 14 -': 1,
    'grpc 200 14 UH': 1,
    'grpc 503 14 -': 1,
    'grpc 0 (none) DC': 1,
    'http 200 (none) -': 1,
  });
});

test('statuses of a service’s own make no series', () => {
  const { metrics, exchange, series } = setUp('source');
  for (let grpcStatus = 17; grpcStatus < 1000; grpcStatus++) {
    metrics.onFinished(exchange({ isGrpc: true, grpcStatus }));
  }
  assert.deepEqual(series('istio_requests_total', 'grpc_response_status'), { 2: 983 });
});

test('messages are counted while the call lasts, with the labels of caller and callee', () => {
  const { metrics, exchange, series } = setUp('source');
  const totals = metrics.messagesOf(exchange({}));
  totals.requests.value += 3;
  totals.responses.value += 2;
  assert.equal(metrics.messagesOf(exchange({})), totals);
  const labels = ['reporter', 'request_protocol', 'destination_service_name', 'response_code'];
  assert.deepEqual(series('istio_request_messages_total', ...labels), { 'source grpc ratings (none)': 3 });
  assert.deepEqual(series('istio_response_messages_total', ...labels), { 'source grpc ratings (none)': 2 });
});

test('TCP connections are counted by peer, and are no requests', () => {
  const { metrics, exchange, series } = setUp();
  const totals = metrics.connectionsOf(exchange({}));
  totals.opened.value += 2;
  totals.closed.value++;
  totals.received.value += 10;
  totals.sent.value += 20;
  assert.equal(metrics.connectionsOf(exchange({})), totals);
  metrics.onFinished(exchange({ wasConnection: true }));
  const labels = ['reporter', 'source_workload', 'destination_service_name', 'request_protocol'];
  for (const [family, value] of [
    ['connections_opened', 2],
    ['connections_closed', 1],
    ['received_bytes', 10],
    ['sent_bytes', 20],
  ] as const)
    assert.deepEqual(series(`istio_tcp_${family}_total`, ...labels), {
      'destination web reviews tcp': value,
    });
  assert.deepEqual(series('istio_requests_total'), {});
});
