// Peers that go away at any byte, say nothing, or speak one byte a second: nothing stays behind, and the next request is
// served. Through the whole data plane in memory, on virtual time.
import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { MemoryProxy, type Peer } from '../support/memory-proxy.ts';
import { chunked, get, post } from './case.ts';

const proxy = await MemoryProxy.start({
  manager: { request_headers_timeout: '10s', stream_idle_timeout: '60s' },
});
after(() => proxy.close());

const lengthAnswer = 'HTTP/1.1 200 OK\r\nx-upstream: yes\r\ncontent-length: 11\r\n\r\nhello world';
const chunkedAnswer =
  'HTTP/1.1 200 OK\r\nx-upstream: yes\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n';
const closedAnswer = 'HTTP/1.1 200 OK\r\nx-upstream: yes\r\n\r\nhello world';
const requests = {
  'a GET': get('GET /'),
  'a body by length': post('Content-Length: 11\r\n', 'hello world'),
  'a chunked body': chunked('5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n'),
};

/** Nothing is left of what was: no request, no connection, no body in memory. */
function assertNothingLeft(): void {
  proxy.forget();
  proxy.run(2000);
  assert.equal(proxy.metric('envoy_http_downstream_rq_active'), 0, 'requests of clients');
  assert.equal(proxy.metric('envoy_cluster_upstream_rq_active'), 0, 'requests to upstreams');
  assert.equal(proxy.metric('envoy_cluster_upstream_cx_active'), 0, 'connections to upstreams');
  assert.equal(proxy.proxy.listeners.busy, 0, 'connections of clients');
}

function assertServes(): void {
  proxy.serve = (peer) => {
    if (peer.text.endsWith('\r\n\r\n')) peer.send(lengthAnswer);
  };
  const client = proxy.connect();
  client.send(get('GET /next'));
  proxy.run();
  assert.ok(client.text.endsWith('hello world'), client.text);
  client.end();
  proxy.run();
}

describe('connections that break', () => {
  afterEach(() => {
    assertNothingLeft();
    assertServes();
    assertNothingLeft();
  });

  for (const [name, request] of Object.entries(requests)) {
    for (const [how, leave] of [
      ['resets', (peer: Peer): void => peer.reset()],
      ['closes its side', (peer: Peer): void => peer.end()],
    ] as const) {
      test(`the client ${how} after any byte of ${name}`, () => {
        proxy.serve = () => undefined;
        for (let sent = 0; sent <= request.length; sent++) {
          const client = proxy.connect();
          client.send(request.slice(0, sent));
          proxy.run();
          leave(client);
          proxy.run();
          proxy.forget();
        }
      });
    }
  }

  for (const [name, answer] of Object.entries({ lengthAnswer, chunkedAnswer, closedAnswer })) {
    for (const [how, leave] of [
      ['resets', (peer: Peer): void => peer.reset()],
      ['ends', (peer: Peer): void => peer.end()],
    ] as const) {
      test(`the upstream ${how} after any byte of its answer (${name})`, () => {
        for (let sent = 0; sent <= answer.length; sent++) {
          proxy.serve = (peer) => {
            peer.send(answer.slice(0, sent));
            proxy.serve = () => undefined;
          };
          const client = proxy.connect();
          client.send(get('GET /'));
          proxy.run();
          for (const peer of proxy.upstream) if (!peer.isClosed) leave(peer);
          proxy.run(50);
          // In memory a peer that is dropped with nothing unread ends in order, as the kernel has it.
          const isWhole =
            sent === answer.length || (name === 'closedAnswer' && sent >= answer.indexOf('\r\n\r\n') + 4);
          const isComplete = /content-length: 11\r\n[^]*hello world$|0\r\n\r\n$/.test(client.text);
          const isRefused = /^HTTP\/1\.1 50[23] /.test(client.text);
          assert.ok(
            isRefused || isComplete === isWhole || name === 'closedAnswer',
            `${sent}: ${client.text}`,
          );
          if (!isWhole && !isRefused)
            assert.ok(
              client.isClosed || client.hasEnded,
              `the client learns of it (${sent}): ${client.text}`,
            );
          if (!client.isClosed) client.reset();
          proxy.forget();
        }
      });
    }

    test(`the client resets after any byte of the answer (${name})`, () => {
      for (let sent = 0; sent <= answer.length; sent++) {
        proxy.serve = (peer) => {
          peer.send(answer.slice(0, sent));
          proxy.serve = () => undefined;
        };
        const client = proxy.connect();
        client.send(get('GET /'));
        proxy.run();
        client.reset();
        proxy.run();
        proxy.forget();
      }
    });
  }

  test('a client that sends a byte a second is served as long as its timeouts allow', () => {
    proxy.serve = (peer) => {
      if (peer.text.endsWith('hello world')) peer.send(lengthAnswer);
    };
    const client = proxy.connect();
    client.send(post('Content-Length: 11\r\n', ''));
    for (const byte of 'hello world'.split('')) {
      proxy.run(1000);
      client.send(byte);
    }
    proxy.run();
    assert.ok(client.text.endsWith('hello world'), client.text);
  });

  test('a client whose head takes too long is told so and dropped', () => {
    const client = proxy.connect();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n');
    proxy.run(9000);
    client.send('X: y\r\n');
    assert.equal(client.text, '');
    proxy.run(3000);
    assert.match(client.text, /^HTTP\/1\.1 408 /);
    proxy.run(2000);
    assert.ok(client.isClosed || client.hasEnded);
  });

  test('an upstream that sends a byte a second is waited for', () => {
    proxy.serve = () => undefined;
    const client = proxy.connect();
    client.send(get('GET /'));
    proxy.run();
    const [upstream] = proxy.upstream;
    for (const byte of lengthAnswer.slice(0, -11).split('')) upstream!.send(byte);
    for (const byte of 'hello world'.split('')) {
      proxy.run(1000);
      upstream!.send(byte);
    }
    proxy.run();
    assert.ok(client.text.endsWith('hello world'), client.text);
  });

  test('an upstream that says nothing is given up after the timeout', () => {
    proxy.serve = () => undefined;
    const client = proxy.connect();
    client.send(get('GET /'));
    proxy.run(14_000);
    assert.equal(client.text, '');
    proxy.run(3000);
    assert.match(client.text, /^HTTP\/1\.1 504 /);
  });

  test('a client that reads nothing does not make the proxy hold its answers', () => {
    proxy.serve = (peer) => {
      const count = peer.text.split('\r\n\r\n').length - 1;
      peer.text = '';
      for (let index = 0; index < count; index++) peer.send(lengthAnswer);
    };
    const client = proxy.connect();
    client.send(get('GET /').repeat(1000));
    proxy.run(1000);
    assert.equal(client.text.split('hello world').length, 1001, 'all are answered in order once it reads');
  });
});
