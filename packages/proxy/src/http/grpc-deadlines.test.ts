import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, connect } from 'node:http2';
import { describe, test } from 'node:test';
import { startChain } from './chain-under-test.ts';
import { type ProxyOptions, toBackend } from './proxy-under-test.ts';

const call = { ':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc', te: 'trailers' };
const answered =
  'HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ngrpc-status: 0\r\ncontent-length: 0\r\n\r\n';

type Action = Parameters<typeof toBackend>[0];
const ms = (time: number) => ({ seconds: Math.floor(time / 1000), nanos: (time % 1000) * 1e6 });

/** Makes one call through a route with this action; what its answer's head and the upstream saw. */
async function makeCall(
  t: { after(fn: () => unknown): void },
  action: Action,
  headers: OutgoingHttpHeaders,
  answer: string | null = answered,
  options: Partial<ProxyOptions> = {},
) {
  const { proxy, seen } = await startChain(t, () => answer, { routes: [toBackend(action)], ...options });
  const session = connect(`http://127.0.0.1:${proxy.port}`);
  t.after(() => session.destroy());
  const stream = session.request({ ...call, ...headers }).end();
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  stream.resume();
  await once(stream, 'close');
  const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)\r$`, 'm').exec(seen())?.[1];
  return {
    status: head['grpc-status'],
    httpStatus: head[':status'],
    message: head['grpc-message'],
    told: field('grpc-timeout'),
    expected: field('x-envoy-expected-rq-timeout-ms'),
    finished: proxy.finished,
  };
}

describe('the deadline of a gRPC call', () => {
  test('passes where the route says nothing of it', async (t) => {
    const { told, expected } = await makeCall(t, { timeout: ms(3000) }, { 'grpc-timeout': '1S' });
    assert.deepEqual([told, expected], ['1S', '3000']);
  });

  test('takes the place of the route’s timeout, up to max_grpc_timeout', async (t) => {
    const action = { timeout: ms(3000), maxGrpcTimeout: ms(2000), grpcTimeoutOffset: ms(100) };
    const short = await makeCall(t, action, { 'grpc-timeout': '1S' });
    assert.deepEqual([short.told, short.expected, short.status], ['900m', '900', '0']);
    const long = await makeCall(t, action, { 'grpc-timeout': '1H' });
    assert.deepEqual([long.told, long.expected], ['2000m', '2000']);
    const none = await makeCall(t, action, {});
    assert.deepEqual([none.told, none.expected], ['2000m', '2000']);
    const html = await makeCall(t, action, { 'grpc-timeout': '1S', 'content-type': 'text/html' });
    assert.deepEqual([html.told, html.expected], ['1S', '3000']);
  });

  test('when it is over the call is unavailable, as with Envoy', async (t) => {
    const { status, httpStatus, message, finished } = await makeCall(
      t,
      { maxGrpcTimeout: ms(0) },
      { 'grpc-timeout': '50m' },
      null,
    );
    assert.deepEqual([httpStatus, status, message], [200, '14', 'upstream request timeout']);
    assert.deepEqual(finished, [{ code: 200, flags: 'UT', details: 'response_timeout' }]);
  });

  test('limits the stream where grpc_timeout_header_max says so, and then it is exceeded', async (t) => {
    const action = { timeout: ms(3000), maxStreamDuration: { grpcTimeoutHeaderMax: ms(60) } };
    const { status, told, expected } = await makeCall(t, action, { 'grpc-timeout': '1H' }, null);
    assert.deepEqual([status, told, expected], ['4', '60m', undefined]);
    const html = await makeCall(t, action, { 'grpc-timeout': '1H', 'content-type': 'text/html' }, null);
    assert.deepEqual([html.httpStatus, html.told], [504, '1H']);
  });

  test('one that is over before it begins is exceeded at once', async (t) => {
    const action = {
      maxStreamDuration: { grpcTimeoutHeaderMax: ms(0), grpcTimeoutHeaderOffset: ms(500) },
    };
    assert.equal((await makeCall(t, action, { 'grpc-timeout': '300m' }, null)).status, '4');
  });

  test('without it the route’s duration, or the listener’s, is passed on', async (t) => {
    const route = { maxStreamDuration: { maxStreamDuration: ms(5000) } };
    assert.equal((await makeCall(t, route, {})).told, '5000m');
    assert.equal((await makeCall(t, route, { 'grpc-timeout': '9S' })).told, '5000m');
    assert.equal((await makeCall(t, route, { 'grpc-timeout': '1S' })).told, '1S');
    const listener = { maxStreamDurationMs: 7000 };
    assert.equal((await makeCall(t, { maxStreamDuration: {} }, {}, answered, listener)).told, '7000m');
    assert.equal((await makeCall(t, { timeout: ms(3000) }, {}, answered, listener)).told, undefined);
  });
});
