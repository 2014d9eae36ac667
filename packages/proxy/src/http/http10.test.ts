import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hello, startChain } from './chain-under-test.ts';

const isComplete = (received: string): boolean => received.endsWith('\r\n\r\n');
const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n';
const get10 = 'GET / HTTP/1.0\r\nHost: a\r\n\r\n';

describe('HTTP/1.0', () => {
  test('is answered with 426 unless the listener accepts it', async (t) => {
    const { client, proxy, seen } = await startChain(t, () => hello);
    client.write(get10);
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 426 Upgrade Required\r\n/);
    assert.equal(seen(), '');
    assert.deepEqual(proxy.finished, [{ code: 426, flags: 'DPE', details: 'low_version' }]);
    assert.equal(proxy.downstream.protocolErrors.value, 1);
  });

  test('goes on as HTTP/1.1 and is answered in its own version, on a connection that ends', async (t) => {
    const { client, seen } = await startChain(t, () => hello, { server: { acceptsHttp10: true } });
    client.write(get10);
    assert.match(await client.untilEnd(), /^HTTP\/1\.0 200 OK\r\n[^]*connection: close\r\n\r\nhello$/);
    assert.match(seen(), /^GET \/ HTTP\/1\.1\r\nHost: a\r\n/);
  });

  test('keeps a connection that asks for it, and says so', async (t) => {
    const { client, proxy } = await startChain(t, () => hello, { server: { acceptsHttp10: true } });
    const request = 'GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n';
    client.write(request);
    await client.until((text) => text.endsWith('hello'));
    client.write(request);
    const both = await client.until((text) => text.split('hello').length === 3);
    assert.equal(both.match(/connection: keep-alive\r\n/g)?.length, 2);
    assert.equal(proxy.downstream.connectionsTotal.value, 1);
  });

  test('gets a chunked response without chunks, ended by the connection', async (t) => {
    const { client, proxy } = await startChain(t, (received) => (isComplete(received) ? chunked : null), {
      server: { acceptsHttp10: true },
    });
    client.write('GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n');
    const response = await client.untilEnd();
    assert.match(response, /connection: close\r\n\r\nhello!$/);
    assert.doesNotMatch(response, /transfer-encoding/i);
    assert.equal(proxy.metrics.connectionsTotal.value, 1);
  });

  test('gets no trailers of a chunked response', async (t) => {
    const withTrailer = chunked.replace(/\r\n$/, 'X-Sum: 6\r\n\r\n');
    const { client } = await startChain(t, (received) => (isComplete(received) ? withTrailer : null), {
      server: { acceptsHttp10: true, takesTrailers: true },
      responses: { takesTrailers: true },
    });
    client.write(get10);
    assert.match(await client.untilEnd(), /\r\n\r\nhello!$/);
  });

  test('gets a chunked response whole however it is split', async (t) => {
    const { client, upstreams, untilSeen } = await startChain(t, () => null, {
      server: { acceptsHttp10: true },
    });
    client.write(get10);
    await untilSeen(isComplete);
    for (const byte of chunked) {
      upstreams[0]!.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.match(await client.untilEnd(), /\r\n\r\nhello!$/);
  });

  test('gets a response that ends with its connection as it came', async (t) => {
    const answer = (_received: string, socket: { end(text: string): void }): null => {
      socket.end('HTTP/1.1 200 OK\r\n\r\nuntil close');
      return null;
    };
    const { client } = await startChain(t, answer, { server: { acceptsHttp10: true } });
    client.write(get10);
    assert.match(await client.untilEnd(), /connection: close\r\n\r\nuntil close$/);
  });

  test('without Host is sent to the default host', async (t) => {
    const { client, seen } = await startChain(t, () => hello, {
      server: { acceptsHttp10: true, defaultHost: 'reviews:9080' },
    });
    client.write('GET / HTTP/1.0\r\n\r\n');
    await client.untilEnd();
    assert.match(seen(), /^GET \/ HTTP\/1\.1\r\nhost: reviews:9080\r\n/);
  });

  test('without Host and without a default host is refused', async (t) => {
    const { client, proxy } = await startChain(t, () => hello, { server: { acceptsHttp10: true } });
    client.write('GET / HTTP/1.0\r\n\r\n');
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 400 /);
    assert.deepEqual(proxy.finished, [{ code: 400, flags: '-', details: 'missing_host_header' }]);
  });

  test('with a chunked body is refused', async (t) => {
    const { client, seen } = await startChain(t, () => hello, { server: { acceptsHttp10: true } });
    client.write('POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 501 /);
    assert.equal(seen(), '');
  });

  test('is not sent interim responses', async (t) => {
    const { client } = await startChain(t, () => `HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${hello}`, {
      server: { acceptsHttp10: true, forwardsExpectation: true },
    });
    client.write(get10);
    assert.match(await client.untilEnd(), /^HTTP\/1\.0 200 OK/);
  });
});
