// Clients of HTTP/1.1 in front of a server of gRPC. What goes out is what Envoy 1.40 sends, but where a test says otherwise.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MetricRegistry } from '@heddle/telemetry';
import type { RequestToSend } from '../../http/http2-upstream-under-test.ts';
import type { ProxyOptions } from '../../http/proxy-under-test.ts';
import { ConnectionManagerMetrics } from '../../stats/connection-manager-metrics.ts';
import {
  type Answer,
  type AskOptions,
  answersTwo,
  ask as askThrough,
  countsOf,
  message,
} from '../calls-under-test.ts';
import { WebFilter } from '../web/web-filter.ts';
import { BridgeFilter, type BridgeFilterSettings } from './bridge-filter.ts';

const call: RequestToSend = {
  path: '/a.B/C?x=1',
  headers: { 'content-type': 'application/grpc' },
  body: message('hello'),
};
const bare: RequestToSend = {
  path: '/a.B/C?x=1',
  headers: { 'content-type': 'application/x-protobuf' },
  body: 'hello',
};

async function ask(
  t: Parameters<typeof askThrough>[0],
  request: RequestToSend,
  options: AskOptions & Partial<ProxyOptions> = {},
  settings: Partial<BridgeFilterSettings> = {},
) {
  const metrics = new ConnectionManagerMetrics(new MetricRegistry().scope(), 'bridge', null);
  const filter = new BridgeFilter(
    {
      kind: 'grpc-http1-bridge',
      name: 'bridge',
      isDisabled: false,
      upgradesProtobuf: true,
      ignoresQuery: false,
      ...settings,
    },
    metrics,
  );
  const got = await askThrough(t, request, [filter], options);
  const { headers } = got;
  const outcome = [got.status, headers['grpc-status'], headers['grpc-message'], headers['content-length']];
  return { ...got, outcome, metrics };
}

/** One message, and trailers. */
function ends(trailers: Record<string, string>, body = message('hello')): Answer {
  return (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(body);
  };
}

describe('a gRPC call over HTTP/1.1', () => {
  test('gets its outcome in the head, and a length', async (t) => {
    const answer = ends({ 'grpc-status': '0', 'grpc-message': 'fine', 'x-other': '1' });
    const { outcome, headers, body, seen, grpcStatuses, proxy } = await ask(t, call, { answer });
    assert.deepEqual(outcome, [200, '0', 'fine', '10']);
    assert.deepEqual([headers['content-type'], headers['x-other']], ['application/grpc', undefined]);
    assert.deepEqual(body, message('hello'));
    assert.deepEqual(seen[0]!.body, message('hello'));
    assert.deepEqual([seen[0]!.headers[':path'], seen[0]!.headers['content-length']], ['/a.B/C?x=1', '10']);
    assert.deepEqual(grpcStatuses, [0]);
    assert.deepEqual(proxy.bytes, [{ received: 10, sent: 10 }]);
  });

  test('that failed is a 503, for clients, logs and metrics, and a 200 of the upstream', async (t) => {
    const answer = ends({ 'grpc-status': '5' }, Buffer.alloc(0));
    const { outcome, body, proxy } = await ask(t, call, { answer });
    assert.deepEqual(outcome, [503, '5', undefined, '0']);
    assert.equal(body.length, 0);
    assert.equal(proxy.finished[0]!.code, 503);
    assert.deepEqual(countsOf(proxy, 'http.test.downstream_rq_5xx'), { '': 1 });
    assert.deepEqual(countsOf(proxy, 'cluster.be.upstream_rq_2xx'), { '': 1 });
    assert.deepEqual(countsOf(proxy, 'cluster.be.upstream_rq_5xx'), {});
  });

  test('keeps a response that has all in its head, or no trailers', async (t) => {
    const whole: Answer = (stream) =>
      stream.respond({ ':status': 200, 'grpc-status': '5' }, { endStream: true });
    assert.deepEqual((await ask(t, call, { answer: whole })).outcome, [200, '5', undefined, '0']);
    const page: Answer = (stream) => {
      stream.respond({ ':status': 502, 'content-type': 'text/html', 'content-length': 3 });
      stream.end('<p>');
    };
    const { outcome, headers, body } = await ask(t, bare, { answer: page });
    assert.deepEqual(outcome, [502, undefined, undefined, '3']);
    assert.deepEqual([headers['content-type'], String(body)], ['text/html', '<p>']);
  });

  test('whose response is too large to be held fails', async (t) => {
    const answer = ends({ 'grpc-status': '0' }, Buffer.alloc(3000));
    const limits = { answer, bufferLimitBytes: 2000 };
    const { outcome, headers, proxy, metrics } = await ask(t, call, limits);
    assert.deepEqual(outcome, [200, '2', 'the response is larger than may be held in memory', '0']);
    assert.equal(headers['content-type'], 'application/grpc');
    assert.equal(metrics.responsesTooLarge.value, 1);
    assert.equal(proxy.finished[0]!.details, 'response_payload_too_large');
    assert.equal((await ask(t, bare, limits)).status, 500);
  });

  test('loses its query where that is wanted', async (t) => {
    const { seen } = await ask(t, call, {}, { ignoresQuery: true });
    assert.equal(seen[0]!.headers[':path'], '/a.B/C');
  });
});

describe('a bare message', () => {
  test('becomes a call, and the message of its response is bare', async (t) => {
    const answer = ends({ 'grpc-status': '0' });
    const { outcome, body, seen, proxy } = await ask(t, bare, { answer });
    assert.deepEqual(outcome, [200, '0', undefined, '5']);
    assert.equal(String(body), 'hello');
    assert.deepEqual(seen[0]!.body, message('hello'));
    const { 'content-type': type, 'content-length': length } = seen[0]!.headers;
    assert.deepEqual([type, length], ['application/grpc', undefined]);
    assert.deepEqual(proxy.bytes, [{ received: 5, sent: 5 }]);
  });

  test('may come in chunks, or be empty, which Envoy forgets to frame', async (t) => {
    const chunked = { ...bare, headers: { ...bare.headers, 'transfer-encoding': 'chunked' } };
    assert.deepEqual((await ask(t, chunked)).seen[0]!.body, message('hello'));
    const { seen } = await ask(t, { ...bare, body: '' });
    assert.deepEqual(seen[0]!.body, message(''));
  });

  test('that is too large is refused', async (t) => {
    const { status, metrics } = await ask(t, { ...bare, body: 'x'.repeat(3000) }, { bufferLimitBytes: 2000 });
    assert.equal(status, 413);
    assert.equal(metrics.requestsTooLarge.value, 1);
  });

  test('stays what it is where the filter does not upgrade it, and over HTTP/2', async (t) => {
    const { seen } = await ask(t, bare, {}, { upgradesProtobuf: false });
    assert.equal(seen[0]!.headers['content-type'], 'application/x-protobuf');
    const { seen: over2 } = await ask(t, bare, { over: 'http2' });
    assert.equal(over2[0]!.headers['content-type'], 'application/x-protobuf');
  });
});

test('calls over HTTP/2 keep their trailers', async (t) => {
  const { trailers, headers } = await ask(t, call, { answer: answersTwo, over: 'http2' });
  assert.equal(trailers['grpc-status'], '0');
  assert.equal(headers['grpc-status'], undefined);
});

test('a call of gRPC-Web that is bridged, too, has its outcome in head and body, as in Envoy', async (t) => {
  const web = new WebFilter({ kind: 'grpc-web', name: 'web', isDisabled: false });
  const bridge = new BridgeFilter(
    {
      kind: 'grpc-http1-bridge',
      name: 'bridge',
      isDisabled: false,
      upgradesProtobuf: false,
      ignoresQuery: false,
    },
    new ConnectionManagerMetrics(new MetricRegistry().scope(), 'bridge', null),
  );
  const request = { headers: { 'content-type': 'application/grpc-web' }, body: message('hello') };
  const { headers, body, proxy } = await askThrough(t, request, [web, bridge], {
    answer: ends({ 'grpc-status': '0' }),
  });
  assert.deepEqual(
    [headers['grpc-status'], headers['content-type'], headers['content-length']],
    ['0', 'application/grpc-web+proto', undefined],
  );
  assert.deepEqual(
    body,
    Buffer.concat([message('hello'), Buffer.from('\u0080\0\0\0\u000fgrpc-status:0\r\n', 'latin1')]),
  );
  assert.equal(proxy.finished[0]!.details, 'via_upstream');
});
