// Peers that are gone without a FIN or a reset, and clients that send just enough to seem alive: the timeouts free what
// they hold. Through the whole data plane in memory, on virtual time.
import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { MemoryProxy, type Peer } from '../support/memory-proxy.ts';
import { chunked, get, post } from './case.ts';

const proxy = await MemoryProxy.start({
  manager: {
    request_headers_timeout: '10s',
    request_timeout: '30s',
    stream_idle_timeout: '60s',
    common_http_protocol_options: { idle_timeout: '300s' },
    delayed_close_timeout: '1s',
  },
  // No limit on the response as a whole.
  action: { timeout: '0s' },
});
after(() => proxy.close());

const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const many = 200;
/** The watch of `stream_idle_timeout` fires between one and two of it after the last byte. */
const idleTimeout = [60_000, 120_000] as const;

/** All that a client had is free after a timeout: give or take two seconds, which is how coarse its timer is. */
function assertFreed(timeoutMs: number, latestMs = timeoutMs): void {
  proxy.run(timeoutMs - 2000);
  assert.ok(proxy.proxy.listeners.busy > 0, 'not before its time');
  proxy.run(latestMs - timeoutMs + 4000);
  assert.equal(proxy.proxy.listeners.busy, 0, 'connections of clients');
  assert.equal(proxy.metric('envoy_http_downstream_rq_active'), 0, 'requests of clients');
  assert.equal(proxy.metric('envoy_cluster_upstream_rq_active'), 0, 'requests to upstreams');
}

/** Another client is served as if nothing were. */
function assertServes(): void {
  proxy.serve = (peer) => {
    if (peer.text.endsWith('\r\n\r\n')) peer.send(answer);
  };
  const client = proxy.connect();
  client.send(get('GET /next'));
  proxy.run();
  assert.ok(client.text.endsWith('ok'), client.text);
  client.end();
  proxy.run();
}

function connectMany(head: string): Peer[] {
  return Array.from({ length: many }, () => {
    const client = proxy.connect();
    client.send(head);
    return client;
  });
}

/** Sends one byte from each client every second until `seconds` are over. */
function drip(clients: readonly Peer[], seconds: number, byte: string): void {
  for (let second = 0; second < seconds; second++) {
    for (const client of clients) if (!client.isClosed && !client.hasEnded) client.send(byte);
    proxy.run(1000);
  }
}

describe('a client that vanishes without a FIN', () => {
  afterEach(() => {
    proxy.comeBack();
    proxy.forget();
    proxy.run(2000);
    assertServes();
    proxy.forget();
  });

  test('between requests is forgotten after idle_timeout', () => {
    proxy.serve = (peer) => peer.send(answer);
    const client = proxy.connectFromAfar();
    client.send(get('GET /'));
    proxy.run();
    assert.ok(client.text.endsWith('ok'), client.text);
    proxy.vanish();
    proxy.run(290_000);
    assert.equal(proxy.metric('envoy_http_downstream_cx_active'), 1, 'not before its time');
    proxy.run(15_000);
    assert.equal(proxy.metric('envoy_http_downstream_cx_active'), 0);
  });

  test('in its head is forgotten after request_headers_timeout', () => {
    const client = proxy.connectFromAfar();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n');
    proxy.run();
    proxy.vanish();
    assertFreed(10_000);
  });

  test('in its body is forgotten after request_timeout, and its upstream with it', () => {
    proxy.serve = () => undefined;
    const client = proxy.connectFromAfar();
    client.send(post('Content-Length: 100\r\n', 'part'));
    proxy.run();
    assert.equal(proxy.upstream.length, 1);
    proxy.vanish();
    assertFreed(30_000);
    assert.ok(proxy.upstream[0]!.isClosed || proxy.upstream[0]!.hasEnded, 'half a request is not used again');
  });

  test('before the end of a large response is forgotten after stream_idle_timeout', () => {
    let sent = 0;
    proxy.serve = (peer) => {
      peer.send(`HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n${'x'.repeat(60_000)}`);
      sent += 60_000;
    };
    const client = proxy.connectFromAfar();
    client.send(get('GET /'));
    proxy.run();
    proxy.vanish();
    // The upstream goes on until it is held up.
    for (let count = 0; count < 10; count++) {
      proxy.upstream[0]!.send('x'.repeat(50_000));
      sent += 50_000;
      proxy.run();
    }
    assert.ok(sent > client.text.length);
    assertFreed(...idleTimeout);
    assert.ok(proxy.upstream[0]!.isClosed || proxy.upstream[0]!.hasEnded, 'the rest is not waited for');
  });
});

test('an upstream that vanishes in its response is given up after stream_idle_timeout', () => {
  proxy.serve = (peer) => peer.send('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart');
  const client = proxy.connect();
  client.send(get('GET /'));
  proxy.run();
  assert.match(client.text, /part$/);
  assertFreed(...idleTimeout);
  assert.ok(client.isClosed || client.hasEnded);
  proxy.forget();
});

describe(`${many} clients that send a byte a second`, () => {
  afterEach(() => {
    proxy.forget();
    proxy.run(2000);
    assert.equal(proxy.proxy.listeners.busy, 0);
    proxy.forget();
  });

  test('of their heads are dropped after request_headers_timeout', () => {
    const clients = connectMany('GET / HTTP/1.1\r\nHost: a\r\nX: ');
    drip(clients, 8, 'x');
    assert.equal(clients.filter(({ text }) => text !== '').length, 0, 'none before its time');
    assertServes();
    drip(clients, 6, 'x');
    for (const client of clients) {
      assert.match(client.text, /^HTTP\/1\.1 408 /);
      assert.ok(client.isClosed || client.hasEnded);
    }
    assert.equal(proxy.upstream.filter(({ text }) => text.includes('X: x')).length, 0);
  });

  for (const [name, head, byte] of [
    ['by length', post('Content-Length: 1000\r\n', ''), 'x'],
    ['in chunks', chunked(''), '1\r\nx\r\n'],
    ['in one chunk’s extension', chunked('5;'), 'x'],
  ] as const) {
    test(`of their bodies ${name} are dropped after request_timeout`, () => {
      proxy.serve = () => undefined;
      const clients = connectMany(head);
      drip(clients, 27, byte);
      assert.equal(clients.filter(({ text }) => text !== '').length, 0, 'none before its time');
      assertServes();
      drip(clients, 6, byte);
      for (const client of clients) assert.match(client.text, /^HTTP\/1\.1 408 /);
      assert.equal(proxy.metric('envoy_cluster_upstream_rq_active'), 0);
    });
  }
});
