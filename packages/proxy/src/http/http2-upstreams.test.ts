import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type ServerHttp2Stream, constants } from 'node:http2';
import { describe, test } from 'node:test';
import { hello, startChain } from './chain-under-test.ts';
import { answerOf, startHttp2Upstream } from './http2-upstream-under-test.ts';
import { RawClient } from './proxy-under-test.ts';

const clients = ['http1', 'http2'] as const;

/** Answers with what it is sent, trailers too. */
function echo(stream: ServerHttp2Stream): void {
  let trailers = {};
  stream.on('trailers', (received: object) => {
    trailers = received;
  });
  stream.respond({ ':status': 200 }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.pipe(stream);
}

describe('a server that speaks HTTP/2', () => {
  for (const by of clients) {
    test(`answers clients of ${by}`, async (t) => {
      let seen: Record<string, unknown> = {};
      const world = await startHttp2Upstream(t, (stream, headers) => {
        seen = headers;
        stream.respond({ ':status': 201, 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'] });
        stream.end('hello');
      });
      const { status, headers, body } = await world[by]({ path: '/a?b', headers: { 'x-one': '1' } });
      assert.deepEqual([status, headers['x-answer'], String(body)], [201, 'yes', 'hello']);
      assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
      assert.deepEqual(
        [seen[':method'], seen[':path'], seen[':scheme'], seen[':authority'], seen['x-one'], seen['host']],
        ['GET', '/a?b', 'http', 'a', '1', undefined],
      );
      assert.equal(seen['x-forwarded-proto'], 'http');
      assert.equal(world.proxy.metrics.http2ConnectionsTotal.value, 1);
      assert.equal(world.proxy.metrics.requestsActive.value, 0);
    });

    test(`gets bodies of clients of ${by}, with and without a length, and answers with as much`, async (t) => {
      const world = await startHttp2Upstream(t, (stream, headers) => {
        stream.respond({ ':status': 200, 'x-length': headers['content-length'] ?? 'none' });
        stream.pipe(stream);
      });
      const body = randomBytes(300_000);
      const known = await world[by]({ method: 'POST', body, headers: { 'content-length': '300000' } });
      assert.equal(known.headers['x-length'], '300000');
      assert.ok(known.body.equals(body));
      const unknown = await world[by]({
        method: 'POST',
        body,
        ...(by === 'http1' ? { headers: { 'transfer-encoding': 'chunked' } } : {}),
      });
      assert.equal(unknown.headers['x-length'], 'none');
      assert.ok(unknown.body.equals(body));
      assert.equal(unknown.headers['transfer-encoding'], by === 'http1' ? 'chunked' : undefined);
    });

    test(`exchanges trailers with clients of ${by}`, async (t) => {
      const world = await startHttp2Upstream(t, echo, { server: { takesTrailers: true } });
      const { trailers, body } = await world[by]({
        method: 'POST',
        body: 'hi',
        trailers: { 'x-sum': '1', my_key: 'kept over HTTP/2', 'x-forwarded-for': 'forged' },
        ...(by === 'http1' ? { headers: { 'transfer-encoding': 'chunked', trailer: 'x-sum' } } : {}),
      });
      assert.equal(String(body), 'hi');
      assert.deepEqual(
        Object.fromEntries(Object.entries(trailers)),
        by === 'http1' ? { 'x-sum': '1' } : { 'x-sum': '1', my_key: 'kept over HTTP/2' },
      );
    });

    test(`answers clients of ${by} without a body where there is none`, async (t) => {
      const world = await startHttp2Upstream(t, (stream, headers) => {
        const status = Number(headers['x-status']);
        const fields = { ':status': status, ...(status === 200 ? { 'content-length': 5 } : {}) };
        stream.respond(fields, { endStream: true });
      });
      for (const [method, status] of [
        ['HEAD', 200],
        ['GET', 204],
        ['GET', 304],
        ['GET', 404],
      ] as const) {
        const answer = await world[by]({ method, headers: { 'x-status': String(status) } });
        assert.deepEqual([answer.status, answer.body.length], [status, 0]);
        assert.equal(answer.headers['transfer-encoding'], undefined);
        if (method === 'HEAD') assert.equal(answer.headers['content-length'], '5');
      }
      assert.equal(world.proxy.metrics.http2ConnectionsTotal.value, 1);
    });

    test(`sends clients of ${by} interim responses where they are passed on`, async (t) => {
      const world = await startHttp2Upstream(
        t,
        (stream) => {
          stream.additionalHeaders({ ':status': 103, link: '</a>' });
          stream.respond({ ':status': 200 });
          stream.end('hello');
        },
        { server: { forwardsExpectation: true } },
      );
      const { interim, status } = await world[by]();
      assert.deepEqual([interim, status], [[103], 200]);
    });

    test(`has clients of ${by} hear of a reset before the response as 503`, async (t) => {
      const world = await startHttp2Upstream(t, (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
      const { status, body } = await world[by]();
      assert.equal(status, 503);
      assert.match(String(body), /reset reason: remote reset$/);
      assert.deepEqual(world.proxy.finished, [
        { code: 503, flags: 'UR', details: 'upstream_reset_before_response_started{remote_reset}' },
      ]);
      assert.equal(world.proxy.metrics.resetsByUpstream.value, 1);
    });

    test(`that refuses a stream gets the request of a client of ${by} once more`, async (t) => {
      let count = 0;
      const world = await startHttp2Upstream(t, (stream) => {
        if (++count === 2) stream.close(constants.NGHTTP2_REFUSED_STREAM);
        else {
          stream.respond({ ':status': 200 });
          stream.end(`${count}`);
        }
      });
      await world[by]();
      const { status, body } = await world[by]({ method: 'DELETE' });
      assert.deepEqual([status, String(body), count], [200, '3', 3]);
    });

    test(`that refuses everything is asked twice for a client of ${by}`, async (t) => {
      let count = 0;
      const world = await startHttp2Upstream(t, (stream) => {
        count++;
        stream.close(constants.NGHTTP2_REFUSED_STREAM);
      });
      const { status } = await world[by]({ method: 'POST', headers: { 'content-length': '0' } });
      assert.deepEqual([status, count], [503, 2]);
      assert.equal(world.proxy.finished[0]?.flags, 'UR');
    });

    test(`that says GOAWAY has the next requests of a client of ${by} on another connection`, async (t) => {
      const world = await startHttp2Upstream(t, (stream) => {
        stream.respond({ ':status': 200 });
        stream.end('hello');
      });
      await world[by]();
      const [first] = world.sessions;
      first!.close();
      await once(first!, 'close');
      assert.equal((await world[by]()).status, 200);
      assert.equal(world.sessions.length, 2);
    });

    test(`that answers too early cuts the rest of the body of a client of ${by}`, async (t) => {
      const codes: number[] = [];
      const world = await startHttp2Upstream(t, (stream) => {
        stream.on('close', () => codes.push(stream.rstCode));
        stream.respond({ ':status': 413 });
        stream.end('too much');
        stream.resume();
      });
      const closed = once(world.server, 'stream').then(([stream]) => once(stream, 'close'));
      if (by === 'http1') {
        const client = new RawClient(world.proxy.port);
        client.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\nhi');
        assert.match(await client.until((text) => text.includes('too much')), /^HTTP\/1\.1 413 /);
        client.socket.destroy();
      } else {
        const stream = world.open({ ':method': 'POST', ':path': '/' });
        stream.write('hi');
        stream.resume();
        const [headers] = await once(stream, 'response');
        assert.equal(headers[':status'], 413);
        stream.close();
      }
      await closed;
      assert.deepEqual(codes, [constants.NGHTTP2_CANCEL]);
      assert.equal(world.proxy.metrics.requestsActive.value, 0);
    });

    test(`carries 4 MiB to and from a slow client of ${by}`, async (t) => {
      const small = { initialStreamWindowSize: 65_535, initialConnectionWindowSize: 65_535 };
      const world = await startHttp2Upstream(t, echo, { http2Upstream: small });
      const body = randomBytes(4 * 1024 * 1024);
      const answer = await world[by]({ method: 'POST', body, headers: { 'content-length': '4194304' } });
      assert.ok(answer.body.equals(body));
    });
  }

  test('answers a hundred streams at once over one connection', async (t) => {
    const waiting: ServerHttp2Stream[] = [];
    const world = await startHttp2Upstream(t, (stream) => {
      if (waiting.push(stream) < 100) return;
      for (const [i, one] of waiting.toReversed().entries()) {
        one.respond({ ':status': 200 });
        one.end(String(i));
      }
    });
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => world[clients[i % 2]!]({ path: `/${i}` })),
    );
    assert.equal(new Set(answers.map(({ body }) => String(body))).size, 100);
    assert.equal(world.sessions.length, 1);
  });

  test('is told nothing that concerns a connection of HTTP/1.1', async (t) => {
    let seen: Record<string, unknown> = {};
    const world = await startHttp2Upstream(t, (stream, headers) => {
      seen = headers;
      stream.respond({ ':status': 200 });
      stream.end();
    });
    const client = new RawClient(world.proxy.port);
    t.after(() => client.socket.destroy());
    client.write(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n' +
        'Proxy-Connection: x\r\nTE: trailers, gzip\r\nHTTP2-Settings: x\r\nX-Kept: 1\r\nCookie: a=1; b=2\r\n\r\n',
    );
    await client.until((text) => text.includes('\r\n\r\n'));
    for (const name of ['connection', 'x-hop', 'keep-alive', 'proxy-connection', 'http2-settings', 'host']) {
      assert.equal(seen[name], undefined, name);
    }
    assert.deepEqual([seen['x-kept'], seen['cookie'], seen['te']], ['1', 'a=1; b=2', 'trailers']);
  });

  test('that goes in the middle of a response has clients see that it is incomplete', async (t) => {
    const world = await startHttp2Upstream(t, (stream) => {
      stream.respond({ ':status': 200 });
      stream.write('begun');
      if (stream.session!.destroyed) return;
      setImmediate(() => stream.session?.destroy());
    });
    const stream = world.open({ ':path': '/' }, true);
    const { status, body } = await answerOf(stream);
    assert.deepEqual([status, String(body)], [200, 'begun']);
    assert.notEqual(stream.rstCode, constants.NGHTTP2_NO_ERROR);
    await assert.rejects(world.http1(), /aborted/);
    assert.deepEqual(
      new Set(world.proxy.finished.map(({ flags, details }) => `${flags} ${details}`)),
      new Set(['UC upstream_reset_after_response_started{connection_termination}']),
    );
  });

  test('that breaks the rules right behind the head of its response has clients of HTTP/1.1 see the head', async (t) => {
    const world = await startHttp2Upstream(t, (stream) => {
      stream.respond({ ':status': 200, 'content-length': '10' });
      stream.end('short');
    });
    // Where nothing came it is a `socket hang up`.
    await assert.rejects(world.http1(), /aborted/);
    assert.match(world.proxy.finished[0]!.details, /^upstream_reset_after_response_started/);
  });

  test('that goes while idempotent requests are on their way gets them once more, over one fresh connection', async (t) => {
    let count = 0;
    const world = await startHttp2Upstream(t, (stream) => {
      count++;
      if (count >= 2 && count <= 4) {
        if (count === 4) stream.session?.destroy();
        return;
      }
      stream.respond({ ':status': 200 });
      stream.end('hello');
    });
    await world.http2();
    const answers = await Promise.all([world.http2(), world.http1(), world.http2({ method: 'PUT' })]);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    );
    assert.equal(world.sessions.length, 2);
    assert.equal(count, 7);
  });

  test('that goes while a POST is on its way does not get it again', async (t) => {
    let count = 0;
    const world = await startHttp2Upstream(t, (stream) => {
      if (++count > 1) {
        stream.session?.destroy();
        return;
      }
      stream.respond({ ':status': 200 });
      stream.end('hello');
    });
    await world.http2();
    const { status } = await world.http2({ method: 'POST', headers: { 'content-length': '0' } });
    assert.equal(status, 503);
    assert.equal(world.proxy.finished.at(-1)?.flags, 'UC');
    assert.equal(count, 2);
  });

  test('is told that a client has gone', async (t) => {
    const codes: Promise<number>[] = [];
    const world = await startHttp2Upstream(t, (stream) => {
      stream.respond({ ':status': 200 });
      stream.write('begun');
      codes.push(once(stream, 'close').then(() => stream.rstCode));
    });
    const stream = world.open({ ':path': '/' }, true);
    await once(stream, 'response');
    stream.close(constants.NGHTTP2_CANCEL);
    const client = new RawClient(world.proxy.port);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until((text) => text.includes('begun'));
    client.socket.destroy();
    assert.deepEqual(await Promise.all(codes), [constants.NGHTTP2_CANCEL, constants.NGHTTP2_CANCEL]);
    assert.equal(world.proxy.metrics.resetsByProxy.value, 2);
    assert.equal(world.sessions.length, 1);
  });
});

test('a cluster that speaks what its clients do speaks HTTP/2 to a server of a client that does', async (t) => {
  const world = await startHttp2Upstream(t, echo, { protocol: 'downstream' });
  const { status, body } = await world.http2({ method: 'POST', body: 'hello' });
  assert.deepEqual([status, String(body)], [200, 'hello']);
  assert.equal(world.proxy.metrics.http2ConnectionsTotal.value, 1);
  const ofHttp1 = await startChain(t, () => hello, { protocol: 'downstream' });
  ofHttp1.client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await ofHttp1.client.until((text) => text.endsWith('hello'));
  assert.equal(ofHttp1.proxy.metrics.http1ConnectionsTotal.value, 1);
});

test('a server that turns out to speak HTTP/1.1 gets chunked bodies in chunks of ours', async (t) => {
  const { client, seen } = await startChain(
    t,
    (received) => (received.endsWith('0\r\nX-Sum: 1\r\n\r\n') ? hello : null),
    { protocol: 'auto', server: { takesTrailers: true }, responses: { takesTrailers: true } },
  );
  client.write(
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n',
  );
  await client.until((text) => text.endsWith('hello'));
  assert.match(seen(), /\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n$/);
  assert.equal(seen().match(/transfer-encoding/gi)?.length, 1);
});
