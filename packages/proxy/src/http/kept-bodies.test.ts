// Requests whose body has gone, or is on its way, and that are tried again.
import assert from 'node:assert/strict';
import { type ServerHttp2Stream, constants } from 'node:http2';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { ErrorCode } from '../http2/error-code.ts';
import { FrameFlag, FrameType } from '../http2/frame.ts';
import { FrameTexts, frame, headers, settings, uint32 } from '../http2/test-peer.ts';
import { hello, startChain } from './chain-under-test.ts';
import { startHttp2Upstream } from './http2-upstream-under-test.ts';
import { type ProxyOptions, RawClient, startBackend, startProxy } from './proxy-under-test.ts';

type Test = { after(fn: () => unknown): void };

const failed = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nnope';
const post = 'POST /a HTTP/1.1\r\nHost: reviews\r\n';

/** A chain whose backend gives up the first connection once it has got this text, and answers on others once they bring `whole`. */
function start(t: Test, first: string, whole: string, options: Partial<ProxyOptions> = {}) {
  let connection: Socket | null = null;
  return startChain(
    t,
    (received, socket) => {
      connection ??= socket;
      if (connection !== socket) return received.endsWith(whole) ? hello : null;
      if (received.endsWith(first)) socket.destroy();
      return null;
    },
    { route: { retryPolicy: { retryOn: 'reset' } }, ...options },
  );
}

describe('a body that has gone goes again', () => {
  test('with its length', async (t) => {
    const { client, proxy, seen } = await start(t, 'abc', 'abc');
    client.write(`${post}Content-Length: 3\r\n\r\nabc`);
    await client.until((text) => text.endsWith('hello'));
    assert.match(seen(), /^POST [^]*\r\n\r\nabcPOST [^]*\r\n\r\nabc$/);
    assert.equal(proxy.metrics.retrySuccesses.value, 1);
    assert.equal(proxy.metrics.retriesAbandoned.value, 0);
  });

  test('in chunks', async (t) => {
    const body = '3\r\nabc\r\n0\r\n\r\n';
    const { client, seen } = await start(t, body, body);
    client.write(`${post}Transfer-Encoding: chunked\r\n\r\n${body}`);
    await client.until((text) => text.endsWith('hello'));
    assert.equal(seen().split(`\r\n\r\n${body}`).length, 3);
  });

  test('in place of a response', async (t) => {
    const answers = [failed, hello];
    const { client, seen } = await startChain(t, (text) => (text.endsWith('abc') ? answers.shift()! : null), {
      route: { retryPolicy: { retryOn: '5xx' } },
    });
    client.write(`${post}Content-Length: 3\r\n\r\nabc`);
    assert.match(await client.until((text) => text.endsWith('hello')), /^HTTP\/1\.1 200 /);
    assert.equal(seen().split('\r\n\r\nabc').length, 3);
  });

  test('as far as it has come, and the rest behind it', async (t) => {
    const { client, untilSeen } = await start(t, 'ab', 'abcd');
    client.write(`${post}Content-Length: 4\r\n\r\nab`);
    await untilSeen((seen) => /ab[^]*\r\n\r\nab$/.test(seen));
    client.write('cd');
    await client.until((text) => text.endsWith('hello'));
  });

  test('unless a response has begun: then it is missed no more, however long it gets', async (t) => {
    const { client, proxy } = await startChain(
      t,
      (text) => (text.endsWith('ab') ? hello.slice(0, -2) : text.endsWith('cdefgh') ? hello.slice(-2) : null),
      { route: { retryPolicy: { retryOn: '5xx' } }, bufferLimitBytes: 4 },
    );
    client.write(`${post}Transfer-Encoding: chunked\r\n\r\n2\r\nab`);
    await client.until((text) => text.endsWith('hel'));
    client.write('\r\n6\r\ncdefgh');
    await client.until((text) => text.endsWith('hello'));
    assert.equal(proxy.metrics.retriesAbandoned.value, 0);
  });

  test('with what comes in the pause before it, which may be more than is kept', async (t) => {
    const { client, proxy } = await start(t, '2\r\nab\r\n', 'ab\r\n6\r\ncdefgh\r\n0\r\n\r\n', {
      bufferLimitBytes: 4,
    });
    client.write(`${post}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n`);
    while (proxy.metrics.retries.value === 0) await new Promise((resolve) => setImmediate(resolve));
    client.write('6\r\ncdefgh\r\n0\r\n\r\n');
    await client.until((text) => text.endsWith('hello'));
    assert.equal(proxy.metrics.retriesAbandoned.value, 1);
    assert.equal(proxy.metrics.retrySuccesses.value, 0, 'nobody looks any more, as in Envoy');
  });

  test('with its trailers, over HTTP/2', async (t) => {
    const got: string[] = [];
    const { http2, proxy } = await startHttp2Upstream(
      t,
      (stream) => {
        stream.on('data', (chunk: Buffer) => got.push(String(chunk)));
        stream.on('trailers', ({ 'x-sum': sum }) => {
          got.push(String(sum));
          if (got.length < 4) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
          else answer(stream);
        });
      },
      { route: { retryPolicy: { retryOn: 'reset' } }, server: { takesTrailers: true } },
    );
    const { status } = await http2({ method: 'POST', body: 'abc', trailers: { 'x-sum': '1' } });
    assert.equal(status, 200);
    assert.deepEqual(got, ['abc', '1', 'abc', '1']);
    assert.equal(proxy.metrics.retries.value, 1);
  });
});

function answer(stream: ServerHttp2Stream): void {
  stream.respond({ ':status': 200 });
  stream.end('hello');
}

describe('a body is not kept', () => {
  for (const [framing, body] of [
    ['Content-Length: 5', 'abcde'],
    ['Transfer-Encoding: chunked', '5\r\nabcde\r\n0\r\n\r\n'],
  ]) {
    test(`that is larger than the limit: ${framing}`, async (t) => {
      const { client, proxy, seen } = await start(t, body!, body!, { bufferLimitBytes: 4 });
      client.write(`${post}${framing}\r\n\r\n${body}`);
      await client.until((text) => text.includes('\r\n\r\n'));
      assert.equal(seen().split('POST').length, 2);
      assert.deepEqual(proxy.finished[0]?.flags, 'UC');
      assert.equal(proxy.metrics.retriesAbandoned.value, 1);
      assert.equal(proxy.metrics.retries.value, 0);
    });
  }

  test('beyond the limit of its route', async (t) => {
    const virtualHost = { perRequestBufferLimitBytes: 4 };
    const { client, proxy } = await start(t, 'abcde', 'abcde', { virtualHost });
    client.write(`${post}Content-Length: 5\r\n\r\nabcde`);
    await client.until((text) => text.includes('\r\n\r\n'));
    assert.equal(proxy.metrics.retriesAbandoned.value, 1);
  });

  test('for a policy about connections that can not be made', async (t) => {
    const { client, proxy, seen } = await start(t, 'abc', 'abc', {
      route: { retryPolicy: { retryOn: 'connect-failure' } },
    });
    client.write(`${post}Content-Length: 3\r\n\r\nabc`);
    await client.until((text) => text.includes('\r\n\r\n'));
    assert.equal(seen().split('POST').length, 2);
    assert.equal(proxy.metrics.retriesAbandoned.value, 0);
  });
});

describe('a call whose message has gone and that is refused unseen', () => {
  const call = { 'content-type': 'application/grpc', te: 'trailers' };

  test('is made again, whatever its route says', async (t) => {
    let calls = 0;
    const { http2, proxy } = await startHttp2Upstream(t, (stream) => {
      stream.resume();
      stream.on('end', () => {
        if (++calls === 1) stream.close(constants.NGHTTP2_REFUSED_STREAM);
        else answer(stream);
      });
    });
    assert.equal((await http2({ method: 'POST', headers: call, body: '\0\0\0\0\x03abc' })).status, 200);
    assert.equal(calls, 2);
    assert.equal(proxy.metrics.retries.value, 0);
  });

  test('is made again after GOAWAY', async (t) => {
    let connections = 0;
    const backend = await startBackend((socket) => {
      const isFirst = ++connections === 1;
      const texts = new FrameTexts();
      socket.write(settings());
      socket.on('data', (chunk: Buffer) => {
        for (const text of texts.read(chunk)) {
          if (!text.startsWith('DATA')) continue;
          if (isFirst) socket.write(frame(FrameType.goaway, 0, 0, uint32(0, ErrorCode.noError)));
          else socket.write(headers(Number(text.split(' ')[1]), [[':status', '204']], FrameFlag.endStream));
        }
      });
    });
    const proxy = await startProxy({ ports: [backend.port], protocol: 'http2' });
    const client = new RawClient(proxy.port);
    t.after(async () => {
      client.close();
      await proxy.close();
      await backend.close();
    });
    client.write(`${post}Content-Type: application/grpc\r\nContent-Length: 8\r\n\r\n\0\0\0\0\x03abc`);
    assert.match(await client.until((text) => text.endsWith('\r\n\r\n')), /^HTTP\/1\.1 204 /);
    assert.equal(connections, 2);
  });

  test('is not when there is more of it than is kept', async (t) => {
    let calls = 0;
    const { http2 } = await startHttp2Upstream(t, (stream) => {
      stream.resume();
      stream.on('end', () => {
        calls++;
        stream.close(constants.NGHTTP2_REFUSED_STREAM);
      });
    });
    const { status } = await http2({ method: 'POST', headers: call, body: Buffer.alloc(100_000) });
    assert.equal(status, 200);
    assert.equal(calls, 1);
  });
});
