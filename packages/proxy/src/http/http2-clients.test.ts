import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  connect,
} from 'node:http2';
import { describe, test } from 'node:test';
import { hello, startChain } from './chain-under-test.ts';
import type { ProxyOptions } from './proxy-under-test.ts';

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: string;
}

/** Everything that comes in answer to a request. */
async function answerTo(stream: ClientHttp2Stream): Promise<Answer> {
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  let body = '';
  stream.on('response', (received: IncomingHttpHeaders) => {
    headers = received;
  });
  stream.on('trailers', (received: IncomingHttpHeaders) => {
    trailers = received;
  });
  stream.setEncoding('latin1').on('data', (text: string) => {
    body += text;
  });
  await once(stream, 'close');
  return { headers, trailers, body };
}

/** A proxy in front of an HTTP/1.1 server, and a client that speaks HTTP/2 to it. */
async function startHttp2(
  t: { after(fn: () => unknown): void },
  answer: (received: string) => string | null,
  options: Partial<ProxyOptions> = {},
) {
  const chain = await startChain(t, answer, options);
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${chain.proxy.port}`);
  t.after(() => session.destroy());
  return { ...chain, session };
}

describe('clients that speak HTTP/2', () => {
  test('are told that a path has no fragment, and may go on', async (t) => {
    const { session, seen, proxy } = await startHttp2(t, () => hello);
    for (const path of ['/a#b', '/#', '/a?b#c']) {
      const { headers } = await answerTo(session.request({ ':path': path, ':authority': 'a' }));
      assert.equal(headers[':status'], 400, path);
    }
    assert.equal(seen(), '');
    assert.equal(proxy.finished[0]?.details, 'path_normalization_failed');
    const { headers } = await answerTo(session.request({ ':path': '/a%23b', ':authority': 'a' }));
    assert.equal(headers[':status'], 200);
    assert.equal(proxy.downstream.http2ConnectionsTotal.value, 1);
  });

  test('are answered by servers that speak HTTP/1.1', async (t) => {
    const { session, seen, proxy } = await startHttp2(t, () => hello);
    const stream = session.request({ ':path': '/a?b', ':authority': 'a', 'x-one': '1', cookie: 'a=1; b=2' });
    const { headers, body } = await answerTo(stream);
    assert.equal(headers[':status'], 200);
    assert.equal(body, 'hello');
    assert.equal(headers['connection'], undefined);
    assert.equal(headers['server'], 'envoy');
    const lines = seen().split('\r\n');
    assert.deepEqual(lines.slice(0, 2), ['GET /a?b HTTP/1.1', 'host: a']);
    assert.ok(lines.includes('x-one: 1'));
    assert.ok(lines.includes('cookie: a=1; b=2'));
    assert.ok(lines.includes('x-forwarded-proto: http'));
    assert.doesNotMatch(seen(), /:path|:method|:scheme|:authority/);
    assert.equal(proxy.finished[0]?.code, 200);
    assert.equal(proxy.downstream.http2RequestsTotal.value, 1);
    assert.equal(proxy.downstream.http1RequestsTotal.value, 0);
  });

  test('have one Host, by whichever name it is asked for', async (t) => {
    const hosts: (string | null)[] = [];
    const { session, client, seen } = await startHttp2(t, () => hello, {
      virtualHost: { requestHeadersToAdd: [{ header: { key: 'x-host', value: '%REQ(host)%' } }] },
      onFinished: (exchange) =>
        hosts.push(exchange.requestHeader('host'), exchange.requestHeader(':authority')),
    });
    await answerTo(session.request({ ':path': '/', ':authority': 'a.example' }));
    client.write('GET http://b.example/ HTTP/1.1\r\nHost: forged.example\r\n\r\n');
    await client.until((text) => text.includes('\r\n\r\n'));
    assert.deepEqual(seen().match(/x-host: .*/g), ['x-host: a.example', 'x-host: b.example']);
    assert.deepEqual(hosts, ['a.example', 'a.example', 'b.example', 'b.example']);
  });

  test('send bodies of a length, and bodies without one in chunks', async (t) => {
    const { session, seen } = await startHttp2(t, (text) =>
      /\r\n\r\n(?:hi|2\r\nhi\r\n0\r\n\r\n)$/.test(text) ? hello : null,
    );
    const known = session.request({ ':method': 'POST', ':path': '/1', 'content-length': 2 });
    known.end('hi');
    assert.equal((await answerTo(known)).body, 'hello');
    assert.match(seen(), /content-length: 2\r\n[^]*\r\n\r\nhi$/);
    const unknown = session.request({ ':method': 'POST', ':path': '/2' });
    unknown.end('hi');
    assert.equal((await answerTo(unknown)).body, 'hello');
    assert.match(seen(), /transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n$/);
  });

  test('get chunked bodies without their chunks, and their trailers', async (t) => {
    const chunked =
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nx-sum: 5\r\n\r\n';
    const { session } = await startHttp2(t, () => chunked, { responses: { takesTrailers: true } });
    const { headers, body, trailers } = await answerTo(session.request({ ':path': '/' }));
    assert.equal(headers['transfer-encoding'], undefined);
    assert.equal(body, 'hello');
    assert.equal(trailers['x-sum'], '5');
  });

  test('share a connection without waiting for each other', async (t) => {
    const { session, upstreams } = await startHttp2(t, (text) => (text.includes('/slow') ? null : hello));
    const slow = session.request({ ':path': '/slow' });
    await once(slow, 'ready');
    const fast = await Promise.all(
      Array.from({ length: 20 }, (_, i) => answerTo(session.request({ ':path': `/${i}` }))),
    );
    assert.deepEqual(new Set(fast.map(({ body }) => body)), new Set(['hello']));
    for (const upstream of upstreams) upstream.write(hello);
    slow.close();
  });

  test('hear of refusals by the proxy', async (t) => {
    const { session, proxy } = await startHttp2(t, () => hello, { routes: [] });
    const { headers, body } = await answerTo(session.request({ ':path': '/' }));
    assert.equal(headers[':status'], 404);
    assert.match(body, /no route/);
    assert.equal(proxy.finished[0]?.flags, 'NR');
  });

  test('of gRPC hear of them as their status, whichever HTTP they speak', async (t) => {
    const { session, client, proxy } = await startHttp2(t, () => hello, { routes: [] });
    const call = { ':method': 'POST', ':path': '/a.B/C', 'content-type': 'application/grpc' };
    const { headers, body } = await answerTo(session.request(call).end());
    const { ':status': status, 'content-type': type, 'grpc-status': code, 'grpc-message': message } = headers;
    assert.deepEqual([status, type, code, body], [200, 'application/grpc', '12', '']);
    assert.match(String(message), /no route/);
    client.write(
      'POST /a.B/C HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Type: application/grpc+proto\r\n\r\n',
    );
    const text = await client.until((received) => received.endsWith('\r\n\r\n'));
    assert.match(text, /^HTTP\/1.1 200 OK\r\n[^]*grpc-status: 12\r\n[^]*content-length: 0\r\n/);
    assert.deepEqual(
      proxy.finished.map(({ code: status, flags }) => [status, flags]),
      [
        [200, 'NR'],
        [200, 'NR'],
      ],
    );
  });

  test('who go away end their request upstream', async (t) => {
    const { session, proxy, untilSeen } = await startHttp2(t, () => null);
    const stream = session.request({ ':path': '/' });
    await untilSeen((text) => text.endsWith('\r\n\r\n'));
    stream.close(8);
    while (proxy.finished.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(proxy.finished, [{ code: 0, flags: 'DC', details: 'http2.remote_reset' }]);
  });

  test('learn of a response that is cut off', async (t) => {
    const { session, upstreams } = await startHttp2(
      t,
      () => 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello',
    );
    const stream = session.request({ ':path': '/' });
    await once(stream, 'data');
    const failed = once(stream, 'error');
    upstreams[0]!.destroy();
    await failed;
    assert.equal(stream.rstCode, 2);
  });

  test('carry 4 MiB both ways while somebody reads slowly', async (t) => {
    const size = 4 * 1024 * 1024;
    const { session } = await startHttp2(t, (text) =>
      text.endsWith('0\r\n\r\n')
        ? `HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n${'x'.repeat(size)}`
        : null,
    );
    const stream = session.request({ ':method': 'POST', ':path': '/' });
    stream.end(Buffer.alloc(size, 'y'));
    await once(stream, 'response');
    let received = 0;
    for await (const chunk of stream) received += (chunk as Buffer).length;
    assert.equal(received, size);
  });

  test('are told to go elsewhere when the listener drains', async (t) => {
    const { session, proxy } = await startHttp2(t, () => hello);
    await answerTo(session.request({ ':path': '/' }));
    const goaway = once(session, 'goaway');
    proxy.connections.drain();
    await goaway;
    await proxy.connections.whenEmpty();
  });

  test('are told to go elsewhere where their connection came while the listener drains', async (t) => {
    const { session, proxy } = await startHttp2(t, () => hello);
    await once(session, 'remoteSettings');
    proxy.connections.drain();
    const late = connect(`http://127.0.0.1:${proxy.port}`);
    t.after(() => late.destroy());
    await once(late, 'goaway');
  });
});
