import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingHttpHeaders, type ServerHttp2Stream, constants } from 'node:http2';
import { describe, test } from 'node:test';
import { type Http2Upstream, answerOf, startHttp2Upstream } from './http2-upstream-under-test.ts';
import { RawClient, toBackend } from './proxy-under-test.ts';

/** That of RFC 6455 §1.3, with its answer. */
const key = 'dGhlIHNhbXBsZSBub25jZQ==';
const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const upgrade =
  `GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`;

/** Grants what is asked for, and says in capitals what it is told. */
function shout(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200 });
  stream.on('data', (chunk: Buffer) => stream.write(chunk.toString('latin1').toUpperCase()));
  stream.on('end', () => stream.end('BYE'));
}

async function start(
  t: { after(fn: () => unknown): void },
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void = shout,
  enableConnectProtocol = true,
): Promise<Http2Upstream & { readonly client: RawClient }> {
  const world = await startHttp2Upstream(t, onStream, {
    backend: { settings: { enableConnectProtocol } },
    upgrades: { websocket: 'forward', connect: 'forward' },
    routes: [toBackend({}), toBackend({}, { pathSpecifier: { $case: 'connectMatcher', value: {} } })],
  });
  const client = new RawClient(world.proxy.port);
  t.after(() => client.close());
  return { ...world, client };
}

describe('a WebSocket to a server of HTTP/2', () => {
  test('begins as an upgrade of HTTP/1.1 and goes on as an extended CONNECT', async (t) => {
    let seen: IncomingHttpHeaders = {};
    const { client, proxy } = await start(t, (stream, headers) => {
      seen = headers;
      shout(stream);
    });
    client.write(upgrade);
    const head = await client.until((text) => text.endsWith('\r\n\r\n'));
    assert.match(head, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    assert.match(head, /\r\nupgrade: websocket\r\nconnection: upgrade\r\n/);
    assert.ok(head.includes(`\r\nsec-websocket-accept: ${accept}\r\n`));
    assert.deepEqual(
      [seen[':method'], seen[':protocol'], seen[':scheme'], seen[':path'], seen[':authority']],
      ['CONNECT', 'websocket', 'http', '/chat', 'a'],
    );
    assert.deepEqual(
      [seen['sec-websocket-version'], seen['upgrade'], seen['connection']],
      ['13', undefined, undefined],
    );
    client.write('hello');
    await client.until((text) => text.endsWith('HELLO'));
    const { bytesSent } = proxy.metrics;
    const before = bytesSent.value;
    client.write('a'.repeat(10_000));
    await client.until((text) => text.endsWith('A'.repeat(10_000)));
    assert.ok(bytesSent.value - before < 11_000, 'what is written is counted once');
    client.socket.end();
    await client.until((text) => text.endsWith('BYE'));
    await client.untilEnd();
    assert.deepEqual(
      proxy.finished.map(({ code }) => code),
      [101],
    );
    assert.equal(proxy.metrics.requestsActive.value, 0);
    assert.equal(proxy.metrics.connectionsActive.value, 1);
  });

  test('begins and goes on as an extended CONNECT', async (t) => {
    const { open, proxy } = await start(t);
    // Its own proxy says that it takes extended CONNECT before the client asks.
    const stream = open({ ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': '/' });
    const [headers] = await once(stream, 'response');
    assert.equal(headers[':status'], 200);
    stream.write('hello');
    const [echo] = await once(stream, 'data');
    assert.equal(String(echo), 'HELLO');
    const rest = answerOf(stream);
    assert.equal(String((await rest).body), 'BYE');
    assert.equal(proxy.metrics.requestsActive.value, 0);
  });

  test('that is not granted is answered like any other request', async (t) => {
    const { client } = await start(t, (stream) => {
      stream.respond({ ':status': 403 });
      stream.end('no');
    });
    client.write(upgrade);
    const text = await client.untilEnd();
    assert.match(text, /^HTTP\/1\.1 403 Forbidden\r\n[^]*\r\n2\r\nno\r\n0\r\n\r\n$/);
  });

  test('is not asked for where the server takes none, whether that is known beforehand or not', async (t) => {
    const streams: string[] = [];
    const onStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
      streams.push(String(headers[':method']));
      stream.respond({ ':status': 200 });
      stream.end();
    };
    const { client, proxy, http1 } = await start(t, onStream, false);
    const refusal = /^HTTP\/1\.1 503 [^]*the upstream takes no such upgrade over HTTP\/2/;
    client.write(upgrade);
    assert.match(await client.untilEnd(), refusal);
    await http1();
    const other = new RawClient(proxy.port);
    t.after(() => other.close());
    other.write(upgrade);
    assert.match(await other.untilEnd(), refusal);
    assert.deepEqual(streams, ['GET']);
    assert.equal(proxy.metrics.requestsActive.value, 0);
  });

  test('is not asked for with a body, for which an extended CONNECT has no place', async (t) => {
    const { client, proxy } = await start(t, () => assert.fail('nothing is asked for'));
    client.write(upgrade.replace('\r\n\r\n', '\r\nContent-Length: 5\r\n\r\nhello'));
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 503 [^]*takes no such upgrade/);
    assert.equal(proxy.metrics.requestsActive.value, 0);
  });

  test('ends for the server when the client goes', async (t) => {
    const codes: Promise<number>[] = [];
    const { client, sessions, proxy } = await start(t, (stream) => {
      codes.push(new Promise((resolve) => stream.once('close', () => resolve(stream.rstCode))));
      shout(stream);
    });
    client.write(upgrade);
    await client.until((text) => text.endsWith('\r\n\r\n'));
    client.socket.resetAndDestroy();
    assert.equal(await codes[0], constants.NGHTTP2_CANCEL);
    assert.equal(sessions[0]!.destroyed, false);
    assert.equal(proxy.metrics.requestsActive.value, 0);
  });

  test('of a client of HTTP/2 is logged as what it was when the server cuts it off', async (t) => {
    const { open, proxy } = await start(t, (stream) => {
      stream.respond({ ':status': 200 });
      stream.on('data', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    });
    const stream = open({ ':method': 'CONNECT', ':authority': 'a.example:443' });
    await once(stream, 'response');
    stream.write('hello');
    await once(stream, 'close');
    const details = 'upstream_reset_after_response_started{connection_termination}';
    assert.deepEqual(proxy.finished, [{ code: 200, flags: 'UC', details }]);
    assert.equal(proxy.bytes[0]?.received, 5);
    assert.equal(proxy.metrics.requestsActive.value, 0);
    assert.equal(proxy.downstream.upgradesActive.value, 0);
    assert.equal(proxy.downstream.requestsActive.value, 0);
  });

  test('ends for the client when the server cuts it off', async (t) => {
    const { client, proxy } = await start(t, (stream) => {
      stream.respond({ ':status': 200 });
      stream.on('data', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
    });
    client.write(upgrade);
    await client.until((text) => text.endsWith('\r\n\r\n'));
    client.write('hello');
    await client.untilEnd();
    assert.equal(proxy.finished[0]?.flags, 'UC');
    assert.equal(proxy.metrics.requestsActive.value, 0);
    assert.equal(proxy.metrics.resetsByUpstream.value, 1);
  });
});

describe('CONNECT to a server of HTTP/2', () => {
  for (const by of ['http1', 'http2'] as const) {
    test(`goes on as CONNECT for a client of ${by}`, async (t) => {
      let seen: IncomingHttpHeaders = {};
      const { client, open } = await start(t, (stream, headers) => {
        seen = headers;
        shout(stream);
      });
      if (by === 'http1') {
        client.write('CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n');
        assert.match(await client.until((text) => text.endsWith('\r\n\r\n')), /^HTTP\/1\.1 200 /);
        client.write('hello');
        await client.until((text) => text.endsWith('HELLO'));
      } else {
        const stream = open({ ':method': 'CONNECT', ':authority': 'a.example:443' });
        await once(stream, 'response');
        stream.write('hello');
        const [echo] = await once(stream, 'data');
        assert.equal(String(echo), 'HELLO');
        stream.destroy();
      }
      assert.deepEqual(
        [seen[':method'], seen[':authority'], seen[':path'], seen[':scheme']],
        ['CONNECT', 'a.example:443', undefined, undefined],
      );
    });
  }
});
