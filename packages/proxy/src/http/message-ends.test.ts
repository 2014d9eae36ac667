import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { get, hello, startChain } from './chain-under-test.ts';

const count = (text: string, of: string): number => text.split(of).length - 1;

describe('where messages end', () => {
  test('204, 304 and answers to HEAD have no body, whatever their fields say', async (t) => {
    const bodiless = [
      'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
      'HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      'HTTP/1.1 200 OK\r\n\r\n',
    ];
    let answers = 0;
    const { client, proxy } = await startChain(t, () => bodiless[answers++] ?? hello);
    const head = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n';
    client.write(get + get + get + head + head + head);
    await client.until((text) => count(text, '\r\n\r\n') === 6);
    client.write(get);
    await client.until((text) => text.endsWith('hello'));
    assert.equal(proxy.finished.length, 7);
    assert.ok(proxy.finished.every(({ details }) => details === 'via_upstream'));
  });

  test('an early response is passed on, then both connections end', async (t) => {
    const { client, proxy, seen } = await startChain(t, () => hello);
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc');
    const response = await client.untilEnd();
    assert.match(response, /connection: close\r\n\r\nhello$/);
    assert.doesNotMatch(response, /x-envoy-upstream-service-time/);
    client.write(get);
    assert.equal(count(seen(), 'HTTP/1.1'), 1);
    assert.equal(proxy.downstream.responsesBeforeRequestEnd.value, 1);
    assert.equal(proxy.metrics.connectionsActive.value, 0);
  });

  test('OPTIONS * and targets that are no paths are answered with 404', async (t) => {
    const { client, proxy, seen } = await startChain(t, () => hello, {
      server: { allowsAbsoluteTarget: false },
    });
    client.write('OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\nGET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until((text) => count(text, 'HTTP/1.1 404') === 2);
    assert.equal(seen(), '');
    assert.equal(proxy.downstream.nonRelativePaths.value, 2);
    assert.equal(proxy.finished[0]?.details, 'absolute_path_rejected');
  });

  test('an absolute target may name http or https, nothing else', async (t) => {
    const { client, connect, seen } = await startChain(t, () => hello);
    client.write('GET HTTPS://b/x HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until((text) => text.endsWith('hello'));
    assert.match(seen(), /^GET \/x HTTP\/1\.1\r\nhost: b\r\n/);
    const other = connect();
    other.write('GET ftp://b/x HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match(await other.untilEnd(), /^HTTP\/1\.1 400 [^]*http1\.invalid_scheme$/);
  });

  test('bytes are counted without framing', async (t) => {
    const chunked = '3;x=y\r\nabc\r\n0\r\n\r\n';
    const { client, proxy } = await startChain(t, (received) =>
      received.endsWith('0\r\n\r\n')
        ? `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`
        : null,
    );
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`);
    await client.until((text) => text.endsWith('0\r\n\r\n'));
    assert.deepEqual(proxy.bytes, [{ received: 3, sent: 3 }]);
  });

  test('a connection and its requests are counted once', async (t) => {
    const { client, proxy } = await startChain(t, () => hello);
    client.write(get + get);
    const text = await client.until((received) => count(received, 'hello') === 2);
    const metrics = proxy.downstream;
    const { connectionsTotal, connectionsActive, requestsTotal, requestsActive, responses } = metrics;
    assert.deepEqual(
      [connectionsTotal, connectionsActive, requestsTotal, requestsActive, responses.completed].map(
        ({ value }) => value,
      ),
      [1, 1, 2, 0, 2],
    );
    assert.equal(responses.byClass[1]!.value, 2);
    assert.equal(metrics.bytesReceived.value, 2 * get.length);
    assert.equal(metrics.bytesSent.value, text.length);
    client.close();
    await proxy.connections.whenEmpty();
    assert.equal(connectionsActive.value, 0);
    assert.equal(metrics.destroyedRemotely.value, 1);
    assert.equal(metrics.destroyedBusy.value, 0);
  });
});
