import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { describe, test } from 'node:test';
import { get, hello, startChain } from './chain-under-test.ts';
import { toBackend } from './proxy-under-test.ts';

const post = (length: number, body: string): string =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`;
const short = { seconds: 0, nanos: 60e6 };

describe('limits on time', () => {
  test('request_timeout: a body that does not come to its end gets 408', async (t) => {
    const { client, proxy, upstreams } = await startChain(t, () => null, {
      server: { requestTimeoutMs: 60 },
    });
    client.write(post(10, 'abc'));
    const response = await client.untilEnd();
    assert.match(response, /^HTTP\/1\.1 408 Request Timeout\r\n[^]*connection: close[^]*request timeout$/);
    assert.deepEqual(proxy.finished, [{ code: 408, flags: '-', details: 'request_overall_timeout' }]);
    assert.equal(proxy.downstream.requestTimeouts.value, 1);
    if (!upstreams[0]!.closed) await once(upstreams[0]!, 'close');
  });

  test('request_timeout counts for a head, too, and not once the request is there', async (t) => {
    const { client, proxy, connect, untilSeen, upstreams } = await startChain(t, () => null, {
      server: { requestTimeoutMs: 60 },
    });
    client.write(get);
    await untilSeen((seen) => seen.endsWith('\r\n\r\n'));
    const slow = connect();
    slow.write('GET / HT');
    assert.match(await slow.untilEnd(), /^HTTP\/1\.1 408 /);
    assert.deepEqual(proxy.finished, [{ code: 408, flags: '-', details: 'request_overall_timeout' }]);
    upstreams[0]!.write(hello);
    await client.until((text) => text.endsWith('hello'));
  });

  test('request_timeout has nothing to say once the response has begun', async (t) => {
    const { client, proxy, connect, upstreams } = await startChain(
      t,
      () => 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npart',
      { server: { requestTimeoutMs: 60 } },
    );
    client.write(post(10, 'abc'));
    await client.until((text) => text.endsWith('part'));
    const slow = connect();
    slow.write('GET / HT');
    await slow.untilEnd();
    upstreams[0]!.write('rest');
    assert.match(await client.untilEnd(), /partrest$/);
    assert.equal(proxy.downstream.requestTimeouts.value, 1);
  });

  test('request_timeout does not end tunnels over HTTP/2', async (t) => {
    const { proxy, connect, untilSeen } = await startChain(t, () => null, {
      server: { requestTimeoutMs: 60 },
      upgrades: { connect: 'tunnel' },
      routes: [toBackend({}, { pathSpecifier: { $case: 'connectMatcher', value: {} } })],
    });
    const session = connectHttp2(`http://127.0.0.1:${proxy.port}`);
    t.after(() => session.destroy());
    const stream = session.request({ ':method': 'CONNECT', ':authority': 'a:1' }, { endStream: false });
    stream.on('error', () => undefined);
    await once(stream, 'response');
    const slow = connect();
    slow.write('GET / HT');
    await slow.untilEnd();
    stream.write('hello');
    await untilSeen((text) => text === 'hello');
    assert.equal(proxy.downstream.requestsActive.value, 1);
  });

  test('request_headers_timeout: a head that does not come to its end gets 408', async (t) => {
    const { client, proxy } = await startChain(t, () => null, { server: { headTimeoutMs: 60 } });
    client.write('GET / HTTP/1.1\r\nHost');
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 408 /);
    assert.deepEqual(proxy.finished, [{ code: 408, flags: '-', details: 'request_header_timeout' }]);
    assert.equal(proxy.downstream.headerTimeouts.value, 1);
    assert.equal(proxy.downstream.protocolErrors.value, 0);
  });

  test('stream_idle_timeout: 408 while the request is coming, 504 afterwards', async (t) => {
    const { client, proxy, connect } = await startChain(t, () => null, { streamIdleTimeoutMs: 60 });
    client.write(post(10, 'abc'));
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 408 [^]*stream timeout$/);
    const other = connect();
    other.write(get);
    assert.match(await other.until((text) => text.endsWith('stream timeout')), /^HTTP\/1\.1 504 /);
    assert.deepEqual(
      proxy.finished.map(({ code, flags, details }) => [code, flags, details]),
      [
        [408, 'SI', 'stream_idle_timeout'],
        [504, 'SI', 'stream_idle_timeout'],
      ],
    );
    assert.equal(proxy.downstream.streamIdleTimeouts.value, 2);
  });

  test('stream_idle_timeout drops the client within a response', async (t) => {
    const partly = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart';
    const { client, proxy } = await startChain(t, () => partly, { streamIdleTimeoutMs: 60 });
    client.write(get);
    assert.match(await client.untilEnd(), /part$/);
    assert.deepEqual(proxy.finished, [{ code: 200, flags: 'SI', details: 'stream_idle_timeout' }]);
  });

  test('the route’s idle_timeout holds instead of the listener’s, for its requests only', async (t) => {
    const routes = [
      toBackend({ idleTimeout: short }, { pathSpecifier: { $case: 'prefix', value: '/short' } }),
      toBackend({}),
    ];
    const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
    const answer = (received: string): string | null => (received.includes('/at-once') ? hello : null);
    const { client, connect, upstreams, untilSeen } = await startChain(t, answer, { routes });
    client.write(ask('/short/at-once'));
    await client.until((text) => text.endsWith('hello'));
    client.write(ask('/patient'));
    await untilSeen((seen) => seen.includes('/patient'));
    const other = connect();
    for (let round = 1; round <= 2; round++) {
      other.write(ask('/short'));
      await other.until((text) => text.split('stream timeout').length === round + 1);
    }
    upstreams[0]!.write(hello);
    await client.until((text) => text.split('hello').length === 3);
  });

  test('max_stream_duration: 504, or 408 while the request is coming; the route’s before the listener’s', async (t) => {
    const routes = [toBackend({ maxStreamDuration: { maxStreamDuration: short } })];
    const { client, proxy, connect } = await startChain(t, () => null, {
      routes,
      maxStreamDurationMs: 3_600_000,
    });
    client.write(get);
    const late = await client.until((text) => text.endsWith('downstream duration timeout'));
    assert.match(late, /^HTTP\/1\.1 504 /);
    const slow = connect();
    slow.write(post(10, 'abc'));
    assert.match(await slow.untilEnd(), /^HTTP\/1\.1 408 /);
    assert.equal(proxy.downstream.maxStreamDurationsReached.value, 2);
    assert.deepEqual(proxy.finished[0], { code: 504, flags: '-', details: 'max_duration_timeout' });
  });

  test('max_connection_duration closes an idle connection, and a busy one with its response', async (t) => {
    const { client, proxy, connect, upstreams, untilSeen } = await startChain(t, () => null, {
      server: { maxConnectionDurationMs: 80 },
    });
    const busy = connect();
    busy.write(get);
    await untilSeen((seen) => seen.endsWith('\r\n\r\n'));
    assert.equal(await client.untilEnd(), '');
    while (proxy.downstream.maxDurationsReached.value < 2)
      await new Promise((resolve) => setImmediate(resolve));
    upstreams[0]!.write(hello);
    assert.match(await busy.untilEnd(), /connection: close\r\n\r\nhello$/);
    assert.equal(proxy.downstream.destroyedLocally.value, 1);
  });

  test('idle_timeout closes a connection between requests', async (t) => {
    const { client, proxy } = await startChain(t, () => hello, { server: { idleTimeoutMs: 60 } });
    client.write(get);
    assert.match(await client.untilEnd(), /hello$/);
    assert.equal(proxy.downstream.idleTimeouts.value, 1);
  });

  test('delayed_close_timeout drops a client that does not close its side', async (t) => {
    const { client, proxy } = await startChain(t, () => hello, { server: { delayedCloseTimeoutMs: 60 } });
    client.keepsOpen = true;
    client.write(get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    assert.match(await client.untilEnd(), /connection: close\r\n\r\nhello$/);
    await proxy.connections.whenEmpty();
    assert.equal(proxy.downstream.delayedCloseTimeouts.value, 1);
  });
});

describe('limits on number and size', () => {
  test('max_requests_per_connection: the last response says so, what follows is no request', async (t) => {
    const { client, proxy } = await startChain(t, () => hello, { server: { maxRequests: 2 } });
    client.write(get);
    assert.doesNotMatch(await client.until((text) => text.endsWith('hello')), /connection: close/);
    client.write(get + get);
    const responses = await client.untilEnd();
    assert.equal(responses.split('hello').length, 3);
    assert.match(responses, /connection: close\r\n\r\nhello$/);
    assert.equal(proxy.downstream.maxRequestsReached.value, 1);
  });

  test('max_headers_count', async (t) => {
    const { client, proxy } = await startChain(t, () => hello, { server: { maxFields: 2 } });
    client.write(get.replace('\r\n\r\n', '\r\na: 1\r\nb: 1\r\n\r\n'));
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 431 /);
    assert.deepEqual(proxy.finished, [{ code: 431, flags: 'DPE', details: 'http1.too_many_headers' }]);
  });

  test('max_response_headers_kb and max_headers_count of the cluster', async (t) => {
    for (const responses of [{ maxHeadBytes: 100 }, { maxFields: 2 }]) {
      const large = `HTTP/1.1 200 OK\r\na: ${'x'.repeat(100)}\r\nb: 1\r\nContent-Length: 0\r\n\r\n`;
      const { client, proxy } = await startChain(t, () => large, { responses });
      client.write(get);
      assert.match(await client.until((text) => text.includes('\r\n\r\n')), /^HTTP\/1\.1 502 /);
      assert.equal(proxy.finished[0]?.flags, 'UPE');
    }
  });

  test('request_body_buffer_limit: a longer body gets 413, before its upstream where its length says so', async (t) => {
    const routes = [toBackend({}, undefined, { requestBodyBufferLimit: 4 })];
    const { client, proxy, connect, seen } = await startChain(
      t,
      (received) => (received.endsWith('abcd') || received.endsWith('0\r\n\r\n') ? hello : null),
      { routes },
    );
    client.write(post(4, 'abcd'));
    await client.until((text) => text.endsWith('hello'));
    client.write(post(5, 'abcde'));
    assert.match(await client.untilEnd(), /HTTP\/1\.1 413 Payload Too Large/);
    assert.doesNotMatch(seen(), /abcde/);
    const chunked = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
    const other = connect();
    other.write(`${chunked}2;extension=ignored\r\nab\r\n2\r\ncd\r\n0\r\n\r\n`);
    await other.until((text) => text.endsWith('hello'));
    other.write(`${chunked}4\r\nabcd\r\n1\r\n`);
    other.write('e\r\n0\r\n\r\n');
    assert.match(await other.untilEnd(), /HTTP\/1\.1 413 /);
    assert.equal(proxy.downstream.requestsTooLarge.value, 2);
    assert.equal(proxy.finished.at(-1)?.details, 'request_payload_too_large');
  });

  test('request_body_buffer_limit counts each body for itself', async (t) => {
    const routes = [
      toBackend({}, { pathSpecifier: { $case: 'path', value: '/any' } }),
      toBackend({}, undefined, { requestBodyBufferLimit: 4 }),
    ];
    const { client } = await startChain(
      t,
      (received) => (/(?:0\r\n\r\n|abc)$/.test(received) ? hello : null),
      {
        routes,
      },
    );
    client.write(
      'POST /any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n',
    );
    await client.until((text) => text.endsWith('hello'));
    client.write(post(3, 'abc'));
    await client.until((text) => text.split('hello').length === 3);
  });

  test('headers_with_underscores_action', async (t) => {
    const request = 'GET / HTTP/1.1\r\nHost: a\r\nx_a: 1\r\nX-B: 1\r\nX_C_D: _\r\n\r\n';
    const allowing = await startChain(t, () => hello);
    allowing.client.write(request);
    await allowing.client.until((text) => text.endsWith('hello'));
    assert.match(allowing.seen(), /\r\nx_a: 1\r\nX-B: 1\r\nX_C_D: _\r\n/);
    const dropping = await startChain(t, () => hello, { server: { underscores: 2 } });
    dropping.client.write(request);
    await dropping.client.until((text) => text.endsWith('hello'));
    assert.match(dropping.seen(), /^GET \/ HTTP\/1\.1\r\nHost: a\r\nX-B: 1\r\nx-forwarded/);
    assert.equal(dropping.proxy.downstream.underscoreFieldsDropped.value, 2);
    const rejecting = await startChain(t, () => hello, { server: { underscores: 1 } });
    rejecting.client.write(request);
    assert.match(await rejecting.client.untilEnd(), /^HTTP\/1\.1 400 /);
    assert.equal(rejecting.proxy.finished[0]?.details, 'http1.unexpected_underscore');
    assert.equal(rejecting.proxy.downstream.underscoreRequestsRejected.value, 1);
  });
});
