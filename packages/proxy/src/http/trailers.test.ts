import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { describe, test } from 'node:test';
import { get, hello, startChain } from './chain-under-test.ts';
import { startHttp2Upstream } from './http2-upstream-under-test.ts';
import { RawClient } from './proxy-under-test.ts';

const enabled = { server: { takesTrailers: true }, responses: { takesTrailers: true } };
const response = (trailers: string): string =>
  `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n${trailers}\r\n`;
const request = (trailers: string): string =>
  `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n${trailers}\r\n`;
/** Answers once the request's last empty line has come. */
const answerWith =
  (text: string) =>
  (received: string): string | null =>
    /\r\n0\r\n(?:[^]*\r\n)?\r\n$/.test(received) ? text : null;

describe('trailers of HTTP/2 behind a body with a length, for which HTTP/1.1 has no place', () => {
  test('are not sent to a server of HTTP/1.1', async (t) => {
    const { proxy, seen } = await startChain(t, (text) => (text.endsWith('hi') ? hello : null), enabled);
    const session = connect(`http://127.0.0.1:${proxy.port}`);
    t.after(() => session.destroy());
    const stream = session.request(
      { ':method': 'POST', ':path': '/', 'content-length': 2 },
      { waitForTrailers: true },
    );
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-check': '1' }));
    stream.end('hi');
    stream.resume();
    await once(stream, 'close');
    assert.match(seen(), /\r\n\r\nhi$/);
  });

  test('are not sent to a client of HTTP/1.1', async (t) => {
    const { proxy } = await startHttp2Upstream(
      t,
      (stream) => {
        stream.respond({ ':status': 200, 'content-length': 2 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-check': '1' }));
        stream.end('ok');
      },
      enabled,
    );
    const client = new RawClient(proxy.port);
    t.after(() => client.close());
    client.write(get);
    await client.until((text) => text.endsWith('ok'));
    client.write(get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    assert.doesNotMatch(await client.untilEnd(), /x-check/);
  });
});

describe('trailers', () => {
  test('pass both ways where listener and cluster take them', async (t) => {
    const { client, seen } = await startChain(t, answerWith(response('X-Sum: 2\r\n')), enabled);
    client.write(request('X-Check: 1\r\nGrpc-Status:  0 \r\n'));
    const received = await client.until((text) => text.endsWith('\r\n\r\n') && text.includes('ok'));
    assert.match(seen(), /\r\n\r\n2\r\nhi\r\n0\r\nX-Check: 1\r\nGrpc-Status: 0\r\n\r\n$/);
    assert.match(received, /\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 2\r\n\r\n$/);
  });

  test('pass however they are split', async (t) => {
    const { client, upstreams, untilSeen } = await startChain(t, () => null, enabled);
    for (const byte of request('X-Check: 1\r\n')) {
      client.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.match(
      await untilSeen((seen) => seen.endsWith('\r\n\r\n') && seen.includes('hi')),
      /X-Check: 1\r\n\r\n$/,
    );
    for (const byte of response('X-Sum: 2\r\n')) {
      upstreams[0]!.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.until((text) => text.endsWith('0\r\nX-Sum: 2\r\n\r\n'));
  });

  test('leave out what would come too late to be decided on', async (t) => {
    const bad =
      'Host: b\r\nContent-Length: 3\r\nTransfer-Encoding: x\r\nAuthorization: x\r\nX-Forwarded-For: 1.1.1.1\r\nx_request_id: 1\r\n';
    const { client, seen } = await startChain(t, answerWith(response(`${bad}X-Sum: 2\r\n`)), enabled);
    client.write(request(`${bad}X-Check: 1\r\n`));
    await client.until((text) => text.endsWith('0\r\nX-Sum: 2\r\n\r\n'));
    assert.match(seen(), /\r\n0\r\nX-Check: 1\r\n\r\n$/);
  });

  test('are dropped where only one side takes them', async (t) => {
    for (const options of [{ server: { takesTrailers: true } }, { responses: { takesTrailers: true } }, {}]) {
      const { client, seen } = await startChain(t, answerWith(response('X-Sum: 2\r\n')), options);
      client.write(request('X-Check: 1\r\n'));
      await client.until((text) => text.endsWith('ok\r\n0\r\n\r\n'));
      assert.match(seen(), /hi\r\n0\r\n\r\n$/);
    }
  });

  test('are refused by the rules of fields, in size and in number', async (t) => {
    const many = Array.from({ length: 101 }, (_, index) => `X-${index}: 1\r\n`).join('');
    for (const trailers of ['X : 1\r\n', ' X: 1\r\n', 'X: \0\r\n', many, `X: ${'x'.repeat(17_000)}\r\n`]) {
      const { client, proxy } = await startChain(t, () => null, enabled);
      client.write(request(trailers));
      assert.match(await client.untilEnd(), /^HTTP\/1\.1 400 /, trailers.slice(0, 20));
      assert.deepEqual(proxy.finished, [{ code: 400, flags: 'DPE', details: 'http1.codec_error' }]);
    }
  });

  test('of a response that break the rules end it', async (t) => {
    const { client, proxy } = await startChain(t, answerWith(response('X : 1\r\n')), enabled);
    client.write(request(''));
    assert.doesNotMatch(await client.untilEnd(), /0\r\n\r\n$/);
    assert.equal(proxy.finished[0]?.flags, 'UPE');
  });

  test('are announced and asked for where they go on', async (t) => {
    const { client, seen } = await startChain(t, answerWith(response('')), enabled);
    client.write(request('').replace('\r\n\r\n', '\r\nTE: gzip, trailers\r\nTrailer: X-Check\r\n\r\n'));
    await client.until((text) => text.endsWith('0\r\n\r\n'));
    assert.match(seen(), /\r\nte: trailers\r\n/);
    assert.match(seen(), /\r\ntrailer: X-Check\r\n/);
    assert.doesNotMatch(seen(), /gzip/);
  });
});
