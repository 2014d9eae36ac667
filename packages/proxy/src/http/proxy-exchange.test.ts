import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import {
  type ProxyOptions,
  RawClient,
  startBackend,
  startProxy,
  startResponder,
} from './proxy-under-test.ts';

const get = 'GET /a?b=c HTTP/1.1\r\nHost: reviews\r\nX-Mixed-Case: Kept\r\n\r\n';
const hello = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Back: end\r\n\r\nhello';

/** Backend, proxy and client, closed when the test ends. */
async function chain(
  t: { after(fn: () => unknown): void },
  respond: (head: string) => string | null,
  options: Partial<ProxyOptions> = {},
) {
  const heads: string[] = [];
  const backend = await startResponder((head) => {
    heads.push(head);
    return respond(head);
  });
  const proxy = await startProxy({ ports: [backend.port], ...options });
  const client = new RawClient(proxy.port);
  t.after(async () => {
    client.close();
    await proxy.close();
    await backend.close();
  });
  return { backend, proxy, client, heads };
}

describe('an exchange', () => {
  test('forwards field lines byte for byte and adds its own', async (t) => {
    const { client, heads, proxy } = await chain(t, () => hello);
    client.write(get);
    const response = await client.until((text) => text.endsWith('hello'));
    assert.match(response, /^HTTP\/1\.1 200 OK\r\nContent-Length: 5\r\nX-Back: end\r\n/);
    assert.match(response, /\r\nserver: envoy\r\n/);
    assert.match(response, /\r\nx-envoy-upstream-service-time: \d+\r\n/);
    assert.match(heads[0]!, /^GET \/a\?b=c HTTP\/1\.1\r\nHost: reviews\r\nX-Mixed-Case: Kept\r\n/);
    assert.match(heads[0]!, /\r\nx-request-id: [0-9a-f-]{36}\r\n/);
    assert.match(heads[0]!, /\r\nx-forwarded-proto: http\r\n/);
    assert.deepEqual(proxy.finished, [{ code: 200, flags: '-', details: 'via_upstream' }]);
  });

  test('answers pipelined requests in their order over one upstream connection', async (t) => {
    let count = 0;
    const { client, proxy } = await chain(t, () => `HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n${++count}`);
    client.write(get.repeat(3));
    const response = await client.until(
      (text) => (text.match(/HTTP\/1\.1 200/g) ?? []).length === 3 && text.endsWith('3'),
    );
    assert.deepEqual(
      response
        .split('\r\n\r\n')
        .slice(1)
        .map((part) => part[0]),
      ['1', '2', '3'],
    );
    assert.equal(proxy.metrics.connectionsTotal.value, 1);
  });

  test('gives the same result however the bytes are split', async (t) => {
    const { client, heads } = await chain(t, () => hello);
    const request = 'POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody';
    for (const byte of request) {
      client.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.until((text) => text.endsWith('hello'));
    assert.match(heads[0]!, /^POST \/p HTTP\/1\.1\r\nHost: a\r\nContent-Length: 4\r\n/);
  });

  test('replaces Host by the authority of an absolute target', async (t) => {
    const { client, heads } = await chain(t, () => hello);
    client.write(
      'GET http://ratings:9080/x?y HTTP/1.1\r\nHost: other\r\nProxy-Connection: keep-alive\r\n\r\n',
    );
    await client.until((text) => text.endsWith('hello'));
    assert.match(heads[0]!, /^GET \/x\?y HTTP\/1\.1\r\nhost: ratings:9080\r\n/);
    assert.doesNotMatch(heads[0]!, /other|proxy-connection/i);
  });

  test('removes what concerns one hop only, nominated fields included', async (t) => {
    const { client, heads } = await chain(t, () => hello);
    client.write(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: x-gone, keep-alive\r\nX-Gone: 1\r\nKeep-Alive: 5\r\nTE: gzip, trailers;q=1\r\nX-Forwarded-Client-Cert: URI=spiffe://forged\r\nx_forwarded_client-cert: URI=spiffe://forged\r\nX-Stays: 1\r\n\r\n',
    );
    await client.until((text) => text.endsWith('hello'));
    assert.doesNotMatch(heads[0]!, /x-gone|keep-alive|gzip|forged/im);
    assert.match(heads[0]!, /X-Stays: 1/);
  });

  test('relays a chunked body with its framing and drops trailers', async (t) => {
    let seen = '';
    const backend = await startBackend((socket) => {
      socket.on('data', (chunk) => {
        seen += chunk.toString('latin1');
        if (seen.endsWith('0\r\n\r\n'))
          socket.write(
            'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n',
          );
      });
    });
    const proxy = await startProxy({ ports: [backend.port] });
    const client = new RawClient(proxy.port);
    t.after(async () => {
      client.close();
      await proxy.close();
      await backend.close();
    });
    client.write(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n',
    );
    const response = await client.until((text) => text.endsWith('0\r\n\r\n'));
    assert.match(response, /3\r\nabc\r\n0\r\n\r\n$/);
    assert.match(seen, /5;ext=1\r\nhello\r\n0\r\n\r\n$/);
  });

  test('chunks a response that ends with its connection', async (t) => {
    const backend = await startResponder((_head, socket) => {
      socket.end('HTTP/1.1 200 OK\r\n\r\nuntil close');
      return null;
    });
    const proxy = await startProxy({ ports: [backend.port] });
    const client = new RawClient(proxy.port);
    t.after(async () => {
      client.close();
      await proxy.close();
      await backend.close();
    });
    client.write(get);
    const response = await client.until((text) => text.endsWith('0\r\n\r\n'));
    assert.match(response, /transfer-encoding: chunked/);
    assert.match(response, /\r\n\r\nb\r\nuntil close\r\n0\r\n\r\n$/);
  });

  test('sends no body for HEAD and keeps the connection', async (t) => {
    const { client, heads } = await chain(t, (head) =>
      head.startsWith('HEAD') ? 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n' : hello,
    );
    client.write(`HEAD / HTTP/1.1\r\nHost: a\r\n\r\n${get}`);
    const response = await client.until((text) => text.endsWith('hello'));
    assert.match(response, /Content-Length: 99/);
    assert.equal(heads.length, 2);
  });

  test('answers 100-continue itself and does not forward the expectation', async (t) => {
    const { client, heads } = await chain(t, () => hello);
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n');
    await client.until((text) => text === 'HTTP/1.1 100 Continue\r\n\r\n');
    client.write('ok');
    await client.until((text) => text.endsWith('hello'));
    assert.doesNotMatch(heads[0]!, /expect/i);
  });

  test('carries large bodies both ways', async (t) => {
    const size = 8 * 1024 * 1024;
    const backend = await startBackend((socket) => {
      let received = 0;
      socket.on('data', (chunk) => {
        received += chunk.length;
        if (received >= size) {
          received = -Infinity;
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
          socket.write(Buffer.alloc(size, 0x62));
        }
      });
    });
    const proxy = await startProxy({ ports: [backend.port] });
    const client = new RawClient(proxy.port);
    t.after(async () => {
      client.close();
      await proxy.close();
      await backend.close();
    });
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
    client.socket.write(Buffer.alloc(size, 0x61));
    const response = await client.until(
      (text) => text.length >= size && text.length - text.indexOf('\r\n\r\n') - 4 === size,
    );
    assert.ok(response.endsWith('bbbb'));
  });

  test('refuses what another parser might frame differently, and closes', async (t) => {
    const { client, heads, proxy } = await chain(t, () => hello);
    client.close();
    const cases: [string, number][] = [
      ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
      ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody', 400],
      ['POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nbody', 400],
      ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', 501],
      ['GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400],
      ['GET / HTTP/1.1\r\nHost: a\r\n folded: 1\r\n\r\n', 400],
      ['GET / HTTP/1.1\nHost: a\n\n', 400],
      ['GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n', 400],
      ['GET / HTTP/1.1\r\n\r\n', 400],
      ['GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
      ['GET / HTTP/1.1\r\nHost: a@b\r\n\r\n', 400],
      ['GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n', 400],
      ['GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
      ['GET /#f HTTP/1.1\r\nHost: a\r\n\r\n', 400],
      ['G\tT / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
      ['GET / HTTP/2.0\r\nHost: a\r\n\r\n', 505],
      ['GET / HTTP/1.0\r\nHost: a\r\n\r\n', 426],
      ['GET / HTTP/1.1\r\nHost: a\r\nExpect: nonsense\r\n\r\n', 417],
      ['GET / HTTP/1.1\r\nHost: a\r\nConnection: x-forwarded-for\r\n\r\n', 400],
    ];
    for (const [request, status] of cases) {
      const attacker = new RawClient(proxy.port);
      attacker.write(request + get);
      const response = await attacker.untilEnd();
      assert.match(response, new RegExp(`^HTTP/1\\.1 ${status} `), JSON.stringify(request));
      assert.equal(
        response.match(/HTTP\/1\.1/g)?.length,
        status === 426 ? 2 : 1,
        `one answer to ${JSON.stringify(request)}`,
      );
    }
    assert.deepEqual(heads, [], 'nothing of it reached the backend');
  });

  test('refuses heads above the limit', async (t) => {
    const { client } = await chain(t, () => hello, { server: { maxHeadBytes: 1024 } });
    client.write(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(2000)}\r\n\r\n`);
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 431 /);
  });

  test('says why no upstream can be reached', async (t) => {
    const closed = await startBackend(() => undefined);
    await closed.close();
    const proxy = await startProxy({ ports: [closed.port] });
    const client = new RawClient(proxy.port);
    t.after(async () => {
      client.close();
      await proxy.close();
    });
    client.write(get);
    const response = await client.until((text) =>
      text.endsWith('transport failure reason: connection refused'),
    );
    assert.match(response, /^HTTP\/1\.1 503 Service Unavailable/);
    assert.equal(proxy.finished[0]?.flags, 'UF');
    assert.equal(proxy.metrics.connectFailures.value, 1, 'tried once: the route asks for no more');
  });

  test('tries as often as the route says when no connection can be made', async (t) => {
    const closed = await startBackend(() => undefined);
    await closed.close();
    const retryPolicy = { retryOn: 'connect-failure', numRetries: 2 };
    const proxy = await startProxy({ ports: [closed.port], route: { retryPolicy } });
    const client = new RawClient(proxy.port);
    t.after(async () => {
      client.close();
      await proxy.close();
    });
    client.write(get);
    await client.until((text) => text.endsWith('connection refused'));
    assert.equal(proxy.finished[0]?.flags, 'URX,UF');
    assert.equal(proxy.metrics.connectFailures.value, 3);
    assert.equal(proxy.metrics.retries.value, 2);
    assert.equal(proxy.metrics.retryLimitsReached.value, 1);
  });

  test('asks another endpoint when a connection cannot be made', async (t) => {
    const closed = await startBackend(() => undefined);
    await closed.close();
    const backend = await startResponder(() => hello);
    const retryPolicy = { retryOn: 'connect-failure' };
    const proxy = await startProxy({ ports: [closed.port, backend.port], route: { retryPolicy } });
    const client = new RawClient(proxy.port);
    t.after(async () => {
      client.close();
      await proxy.close();
      await backend.close();
    });
    client.write(get.repeat(6));
    await client.until((text) => (text.match(/HTTP\/1\.1 200/g) ?? []).length === 6);
    assert.ok(proxy.finished.every((one) => one.code === 200));
  });

  test('repeats an idempotent request once when a reused connection was closed under it', async (t) => {
    const backend = await startBackend((socket, connectionNumber) => {
      let requests = 0;
      socket.on('data', () => {
        if (connectionNumber === 1 && ++requests === 2) socket.destroy();
        else socket.write(hello);
      });
    });
    const proxy = await startProxy({ ports: [backend.port] });
    const client = new RawClient(proxy.port);
    t.after(async () => {
      client.close();
      await proxy.close();
      await backend.close();
    });
    client.write(get);
    await client.until((text) => text.endsWith('hello'));
    client.write(get);
    await client.until((text) => (text.match(/hello/g) ?? []).length === 2);
    assert.deepEqual(
      proxy.finished.map((one) => one.code),
      [200, 200],
    );
  });

  test('never repeats a request that is not safe to repeat', async (t) => {
    let posts = 0;
    const backend = await startBackend((socket) => {
      socket.on('data', (chunk) => {
        if (chunk.toString('latin1').startsWith('POST')) {
          posts++;
          socket.destroy();
        } else socket.write(hello);
      });
    });
    const proxy = await startProxy({ ports: [backend.port] });
    const client = new RawClient(proxy.port);
    t.after(async () => {
      client.close();
      await proxy.close();
      await backend.close();
    });
    client.write(get);
    await client.until((text) => text.endsWith('hello'));
    client.write('POST / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until((text) => text.includes('503 Service Unavailable'));
    assert.equal(posts, 1);
    assert.equal(proxy.finished[1]?.flags, 'UC');
  });

  test('does not reuse a connection on which bytes follow the response', async (t) => {
    const { client, proxy } = await chain(
      t,
      () => `${hello}HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned`,
    );
    client.write(get);
    await client.until((text) => text.endsWith('hello'));
    client.write(get);
    await client.until((text) => (text.match(/hello/g) ?? []).length === 2);
    assert.doesNotMatch(client.received, /poisoned/);
    assert.equal(proxy.metrics.connectionsTotal.value, 2);
  });

  test('answers 504 when the route’s time is up and gives the connection up', async (t) => {
    const { client, proxy } = await chain(t, () => null, { timeoutMs: 60 });
    client.write(get);
    const response = await client.until((text) => text.endsWith('upstream request timeout'));
    assert.match(response, /^HTTP\/1\.1 504 /);
    assert.equal(proxy.finished[0]?.flags, 'UT');
  });

  test('turns an unreadable response into 502', async (t) => {
    const { client, proxy } = await chain(
      t,
      () => 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    client.write(get);
    await client.until((text) => text.includes('502 Bad Gateway'));
    assert.equal(proxy.finished[0]?.flags, 'UPE');
  });

  test('drops the client when the upstream is lost in mid-body', async (t) => {
    const backend = await startResponder((_head, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart', () => socket.destroy());
      return null;
    });
    const proxy = await startProxy({ ports: [backend.port] });
    const client = new RawClient(proxy.port);
    t.after(async () => {
      client.close();
      await proxy.close();
      await backend.close();
    });
    client.write(get);
    assert.match(await client.untilEnd(), /part$/);
    assert.deepEqual(proxy.finished, [
      { code: 200, flags: 'UPE', details: 'upstream_reset_after_response_started{protocol_error}' },
    ]);
    assert.equal(proxy.downstream.responsesReset.value, 1);
  });

  test('lets the upstream go when the client goes', async (t) => {
    const backend = await startBackend((socket) => socket.resume());
    const proxy = await startProxy({ ports: [backend.port] });
    t.after(async () => {
      await proxy.close();
      await backend.close();
    });
    // A body that comes before there is a connection to the upstream stops the reading, to its end and no longer.
    const post = 'POST / HTTP/1.1\r\nHost: a\r\n';
    const requests = [
      get,
      `${post}Content-Length: 2\r\n\r\nhi`,
      `${post}Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
    ];
    for (const request of requests) {
      const client = new RawClient(proxy.port);
      const connected = once(backend.server, 'connection');
      client.write(request);
      const [upstream] = (await connected) as [Socket];
      const closed = once(upstream, 'close');
      client.close();
      await closed;
      assert.equal(proxy.finished.at(-1)?.flags, 'DC');
    }
    assert.equal(proxy.finished.length, 3);
  });

  test('closes idle connections at once and busy ones after their response when it drains', async (t) => {
    const arrived = Promise.withResolvers<Socket>();
    const backend = await startResponder((_head, socket) => {
      arrived.resolve(socket);
      return null;
    });
    const proxy = await startProxy({ ports: [backend.port] });
    const idle = new RawClient(proxy.port);
    const busy = new RawClient(proxy.port);
    t.after(async () => {
      await proxy.close();
      await backend.close();
    });
    await once(idle.socket, 'connect');
    busy.write(get);
    const upstream = await arrived.promise;
    proxy.connections.drain();
    assert.equal(await idle.untilEnd(), '');
    upstream.write(hello);
    assert.match(await busy.untilEnd(), /connection: close[\s\S]*hello$/);
    await proxy.connections.whenEmpty();
  });

  test('serves a request whose head is still coming, in pieces, when it drains', async (t) => {
    const { client, proxy, heads } = await chain(t, () => hello);
    const busy = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    client.write('GET / HT');
    while (proxy.connections.busy === 0) await busy();
    proxy.connections.drain();
    for (const byte of 'TP/1.1\r\nHost: a\r\n\r\n') {
      client.write(byte);
      await busy();
    }
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*hello$/);
    assert.equal(heads.length, 1);
  });

  test('holds timers for the exchanges that wait, and for no connection that is gone', async (t) => {
    const { client, proxy } = await chain(t, () => hello);
    const clients = [client, ...Array.from({ length: 3 }, () => new RawClient(proxy.port))];
    for (const each of clients) {
      each.write(get);
      await each.until((text) => text.endsWith('hello'));
    }
    // Their connections' idle timeouts, and the watch of the one exchange that served them all.
    assert.equal(proxy.timers.size, clients.length + 1);
    const closed = proxy.connections.whenEmpty();
    for (const each of clients) each.close();
    await closed;
    assert.equal(proxy.timers.size, 1);
  });

  test('answers 508 when a host outside the mesh is the proxy itself', async (t) => {
    const proxy = await startProxy({ ports: [], isPassthrough: true });
    const client = new RawClient(proxy.port);
    t.after(async () => {
      client.close();
      await proxy.close();
    });
    client.write(`GET http://localhost:${proxy.port}/ HTTP/1.1\r\nHost: a\r\n\r\n`);
    assert.match(
      await client.until((text) => text.endsWith('came through')),
      /^HTTP\/1\.1 508 Loop Detected/,
    );
    assert.equal(proxy.finished.length, 2);
  });
});
