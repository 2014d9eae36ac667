// A reused connection that its peer closes while a request is on its way (RFC 9112 §9.3.1), at each point of the race.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { defaultCircuitBreakerLimits } from '../cluster/circuit-breaker.ts';
import { type ProxyOptions, RawClient, startBackend, startProxy } from './proxy-under-test.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const hello = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

/** A backend that answers the first request of each connection and does `then` with what follows. */
async function setUp(
  t: TestContext,
  then: (socket: Socket, request: string, connection: number) => void,
  options: Partial<ProxyOptions> = {},
) {
  const sockets: Socket[] = [];
  const requests: string[] = [];
  const backend = await startBackend((socket, connection) => {
    sockets.push(socket);
    let isFirst = true;
    socket.on('data', (chunk) => {
      requests.push(chunk.toString('latin1').slice(0, 4).trim());
      if (isFirst && connection === 1) socket.write(hello);
      else then(socket, chunk.toString('latin1'), connection);
      isFirst = false;
    });
  });
  const proxy = await startProxy({ ports: [backend.port], ...options });
  const client = new RawClient(proxy.port);
  t.after(async () => {
    client.close();
    await proxy.close();
    await backend.close();
  });
  client.write(get);
  await client.until((text) => text.endsWith('hello'));
  client.received = '';
  return { sockets, requests, proxy, client };
}

test('the FIN is in the kernel before the request is written', async (t) => {
  for (let round = 0; round < 20; round++) {
    const { sockets, client, proxy } = await setUp(t, (socket) => socket.write(hello));
    // Both are there when the proxy polls next; which it sees first is the kernel's choice.
    if (round % 2 === 0) sockets[0]!.end();
    client.write(get);
    if (round % 2 === 1) sockets[0]!.end();
    assert.match(await client.until((text) => text.endsWith('hello')), /^HTTP\/1\.1 200 /);
    assert.equal(proxy.metrics.connectionsTotal.value, 2);
  }
});

test('the peer resets at the sight of the request', async (t) => {
  const { client, requests } = await setUp(t, (socket, _request, connection) => {
    if (connection === 1) socket.resetAndDestroy();
    else socket.write(hello);
  });
  client.write(get);
  assert.match(await client.until((text) => text.endsWith('hello')), /^HTTP\/1\.1 200 /);
  assert.deepEqual(requests, ['GET', 'GET', 'GET']);
});

test('the second connection is closed too: no third attempt', async (t) => {
  const { client, requests, proxy } = await setUp(t, (socket) => socket.end());
  client.write(get);
  await client.until((text) => text.includes('connection termination'));
  assert.deepEqual(requests, ['GET', 'GET', 'GET']);
  assert.equal(proxy.finished[1]?.flags, 'UC');
});

test('one byte of a response has come: the request has been heard', async (t) => {
  const { client, requests } = await setUp(t, (socket) => socket.end('H'));
  client.write(get);
  await client.until((text) => text.includes('503 Service Unavailable'));
  assert.deepEqual(requests, ['GET', 'GET']);
});

test('part of a body has been sent: it is here no more', async (t) => {
  const { client, requests } = await setUp(t, (socket) => socket.end());
  client.write('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab');
  await client.until((text) => text.includes('503 Service Unavailable'));
  assert.deepEqual(requests, ['GET', 'PUT']);
});

test('a request that changes something is not repeated', async (t) => {
  const { client, requests } = await setUp(t, (socket) => socket.end());
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  await client.until((text) => text.includes('503 Service Unavailable'));
  assert.deepEqual(requests, ['GET', 'POST']);
});

test('a fresh connection that is closed at once is no race', async (t) => {
  const backend = await startBackend((socket) => socket.once('data', () => socket.end()));
  const proxy = await startProxy({ ports: [backend.port] });
  const client = new RawClient(proxy.port);
  t.after(async () => {
    client.close();
    await proxy.close();
    await backend.close();
  });
  client.write(get);
  await client.until((text) => text.includes('503 Service Unavailable'));
  assert.equal(proxy.metrics.connectionsTotal.value, 1);
});

test('the second attempt finds the only connection that is allowed gone', async (t) => {
  const { client } = await setUp(
    t,
    (socket, _request, connection) => {
      if (connection === 1) socket.end();
      else socket.write(hello);
    },
    { breakerLimits: { ...defaultCircuitBreakerLimits, maxConnections: 1 } },
  );
  client.write(get);
  assert.match(await client.until((text) => text.endsWith('hello')), /^HTTP\/1\.1 200 /);
});

test('a request that a circuit breaker refuses is answered 503 with x-envoy-overloaded', async (t) => {
  const held = Promise.withResolvers<Socket>();
  const { proxy, client } = await setUp(t, (socket) => held.resolve(socket), {
    breakerLimits: { ...defaultCircuitBreakerLimits, maxRequests: 1 },
  });
  const other = new RawClient(proxy.port);
  t.after(() => other.close());
  client.write(get);
  await held.promise;
  other.write(get);
  const response = await other.until((text) => text.endsWith('reset reason: overflow'));
  assert.match(response, /^HTTP\/1\.1 503 Service Unavailable\r\n/);
  assert.match(response, /\r\nx-envoy-overloaded: true\r\n/);
  assert.deepEqual(proxy.finished.at(-1), {
    code: 503,
    flags: 'UO',
    details: 'upstream_reset_before_response_started{overflow}',
  });
});
