// What of a request comes before there is anywhere to send it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { systemRandom } from '@heddle/base';
import { acceptOf } from '../codec/websocket-accept.ts';
import { defaultCircuitBreakerLimits } from '../cluster/circuit-breaker.ts';
import { get, hello, startChain } from './chain-under-test.ts';
import { startHttp2Upstream } from './http2-upstream-under-test.ts';
import { RawClient, startBackend, startProxy, toBackend } from './proxy-under-test.ts';

type Test = { after(fn: () => unknown): void };

function sessionTo(t: Test, port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  t.after(() => session.destroy());
  return session;
}

test('a body whose request got no connection does not go with the next request', async (t) => {
  const backend = await startBackend(() => undefined);
  await backend.close();
  const proxy = await startProxy({ ports: [backend.port] });
  const client = new RawClient(proxy.port);
  let seen = '';
  const server = createServer((socket) => {
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1');
      socket.end(hello);
    });
  });
  t.after(async () => {
    client.close();
    server.close();
    await proxy.close();
  });
  client.write('POST / HTTP/1.1\r\nHost: reviews\r\nContent-Length: 6\r\n\r\nsecret');
  await client.until((text) => text.includes('connection failure'));
  server.listen(backend.port, '127.0.0.1');
  await once(server, 'listening');
  client.write(get);
  await client.until((text) => text.endsWith('hello'));
  assert.match(seen, /^GET [^]*\r\n\r\n$/);
});

test('trailers without a body go with the first try only, which is the last', async (t) => {
  let tries = 0;
  const { http2 } = await startHttp2Upstream(t, (stream) => {
    tries++;
    stream.resume();
    stream.on('trailers', () => stream.close(constants.NGHTTP2_REFUSED_STREAM));
  });
  assert.equal((await http2({ method: 'POST', trailers: { 'x-sum': '1' } })).status, 503);
  assert.equal(tries, 1);
});

test('a request that goes while it waits leaves the pool of an endpoint that has gone, too', async (t) => {
  const waiting: (() => void)[] = [];
  const { open, proxy } = await startHttp2Upstream(
    t,
    (stream) => {
      stream.respond({ ':status': 200 });
      waiting.push(() => stream.end('hello'));
    },
    {
      protocol: 'downstream',
      backend: { settings: { maxConcurrentStreams: 1 } },
      breakerLimits: { ...defaultCircuitBreakerLimits, maxConnections: 1 },
    },
  );
  const first = open({ ':path': '/1' }, true);
  await once(first, 'response');
  const second = open({ ':path': '/2' }, true);
  while (proxy.metrics.requestsPending.value === 0) await new Promise((resolve) => setImmediate(resolve));
  proxy.cluster.setEndpoints({ endpoints: [], overprovisioningPercent: 140 }, systemRandom);
  second.close(constants.NGHTTP2_CANCEL);
  while (proxy.finished.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(proxy.metrics.requestsPending.value, 0);
  waiting[0]!();
  first.resume();
  await once(first, 'close');
  assert.equal(proxy.metrics.requestsActive.value, 0);
});

describe('what a client of HTTP/2 sends behind CONNECT before that is granted', () => {
  test('is the first that the upstream gets', async (t) => {
    const { proxy, upstreams, untilSeen } = await startChain(t, () => null, {
      upgrades: { connect: 'tunnel' },
      routes: [toBackend({}, { pathSpecifier: { $case: 'connectMatcher', value: {} } })],
      allowHalfOpen: true,
    });
    const stream = sessionTo(t, proxy.port).request(
      { ':method': 'CONNECT', ':authority': 'a:1' },
      { endStream: false },
    );
    stream.end('early');
    await once(stream, 'response');
    assert.equal(await untilSeen((text) => text !== ''), 'early');
    const [upstream] = upstreams;
    if (!upstream!.readableEnded) await once(upstream!, 'end');
    upstream!.end('late');
    const [answer] = await once(stream, 'data');
    assert.equal(String(answer), 'late');
  });

  test('follows the upgrade that it is for a server of HTTP/1.1, as bytes', async (t) => {
    const { proxy, upstreams, seen, untilSeen } = await startChain(t, () => null, {
      upgrades: { websocket: 'forward' },
    });
    const session = sessionTo(t, proxy.port);
    await once(session, 'remoteSettings');
    const stream = session.request(
      { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat', ':authority': 'a' },
      { endStream: false },
    );
    stream.write('early');
    await untilSeen((text) => text.endsWith('\r\n\r\n'));
    assert.match(seen(), /^GET \/chat HTTP\/1\.1\r\n[^]*\r\nupgrade: websocket\r\n/);
    assert.doesNotMatch(seen(), /transfer-encoding|content-length/);
    const [, key] = /\r\nsec-websocket-key: (\S+)\r\n/.exec(seen())!;
    upstreams[0]!.write(
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n' +
        `sec-websocket-accept: ${acceptOf(key!)}\r\n\r\n`,
    );
    const [headers] = await once(stream, 'response');
    assert.equal(headers[':status'], 200);
    assert.equal(headers['sec-websocket-accept'], undefined, 'the client has given no key');
    await untilSeen((text) => text.endsWith('\r\n\r\nearly'));
    stream.write('late');
    await untilSeen((text) => text.endsWith('earlylate'));
    upstreams[0]!.write('hello');
    const [answer] = await once(stream, 'data');
    assert.equal(String(answer), 'hello');
  });

  for (const [what, accept] of [
    ['none', ''],
    ['that of another key', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
  ]) {
    test(`is refused for a server whose Sec-WebSocket-Accept is ${what}`, async (t) => {
      const { proxy, upstreams, untilSeen } = await startChain(t, () => null, {
        upgrades: { websocket: 'forward' },
      });
      const session = sessionTo(t, proxy.port);
      await once(session, 'remoteSettings');
      const stream = session.request(
        { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat', ':authority': 'a' },
        { endStream: false },
      );
      await untilSeen((text) => text.endsWith('\r\n\r\n'));
      const line = accept === '' ? '' : `sec-websocket-accept: ${accept}\r\n`;
      const head = `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n${line}\r\n`;
      upstreams[0]!.write(`${head}bytes that nobody gets`);
      const [headers] = await once(stream, 'response');
      assert.equal(headers[':status'], 502);
      if (!upstreams[0]!.closed) await once(upstreams[0]!, 'close');
      assert.equal(proxy.metrics.requestsActive.value, 0);
    });
  }

  test("leaves a client's own key alone, and its answer", async (t) => {
    const { proxy, upstreams, seen, untilSeen } = await startChain(t, () => null, {
      upgrades: { websocket: 'forward' },
    });
    const session = sessionTo(t, proxy.port);
    await once(session, 'remoteSettings');
    const own = { 'sec-websocket-key': 'mine' };
    const stream = session.request(
      { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat', ':authority': 'a', ...own },
      { endStream: false },
    );
    await untilSeen((text) => text.endsWith('\r\n\r\n'));
    assert.match(seen(), /\r\nsec-websocket-key: mine\r\n/);
    upstreams[0]!.write(
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: x\r\n\r\n',
    );
    const [headers] = await once(stream, 'response');
    assert.deepEqual([headers[':status'], headers['sec-websocket-accept']], [200, 'x']);
  });
});
