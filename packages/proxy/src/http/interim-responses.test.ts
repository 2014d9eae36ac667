import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { get, hello, startChain } from './chain-under-test.ts';

const expecting = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n';
const forwarding = { server: { forwardsExpectation: true } };

describe('interim responses', () => {
  test('of the upstream are swallowed, as in Envoy', async (t) => {
    const early = 'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n';
    const { client } = await startChain(t, () => early + hello);
    client.write(get);
    assert.match(await client.until((text) => text.endsWith('hello')), /^HTTP\/1\.1 200 OK/);
  });

  test('100 and 103 of the upstream are relayed with proxy_100_continue', async (t) => {
    const early =
      'HTTP/1.1 103 Early Hints\r\nLink: a\r\nKeep-Alive: 1\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n';
    const { client, proxy } = await startChain(t, () => early + hello, forwarding);
    client.write(get);
    const received = await client.until((text) => text.endsWith('hello'));
    assert.match(received, /^HTTP\/1\.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP\/1\.1 200 OK/);
    assert.equal(proxy.downstream.responses.byClass[0]!.value, 1);
  });

  test('above a number end the exchange', async (t) => {
    const { client, proxy } = await startChain(
      t,
      () => 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(17) + hello,
    );
    client.write(get);
    assert.match(await client.until((text) => text.includes('\r\n\r\n')), /^HTTP\/1\.1 502 /);
    assert.equal(proxy.finished[0]?.flags, 'UPE');
  });

  test('101 that nobody asked for is no response', async (t) => {
    const { client, proxy } = await startChain(
      t,
      () => 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
    );
    client.write(get);
    assert.match(await client.until((text) => text.includes('\r\n\r\n')), /^HTTP\/1\.1 502 /);
    assert.equal(proxy.finished[0]?.flags, 'UPE');
  });

  test('100 is given by the proxy, which takes the expectation away', async (t) => {
    const { client, seen } = await startChain(t, (received) => (received.endsWith('ok') ? hello : null));
    client.write(expecting);
    await client.until((text) => text === 'HTTP/1.1 100 Continue\r\n\r\n');
    client.write('ok');
    await client.until((text) => text.endsWith('hello'));
    assert.doesNotMatch(seen(), /expect/i);
  });

  test('100 is left to the upstream with proxy_100_continue', async (t) => {
    const { client, untilSeen, upstreams } = await startChain(t, () => null, forwarding);
    client.write(expecting);
    assert.match(await untilSeen((seen) => seen.endsWith('\r\n\r\n')), /\r\nexpect: 100-continue\r\n/);
    assert.equal(client.received, '');
    upstreams[0]!.write('HTTP/1.1 100 Continue\r\n\r\n');
    await client.until((text) => text === 'HTTP/1.1 100 Continue\r\n\r\n');
    client.write('ok');
    await untilSeen((seen) => seen.endsWith('ok'));
    upstreams[0]!.write(hello);
    await client.until((text) => text.endsWith('hello'));
  });

  test('a refusal instead of 100 ends the connection, since the body may follow or not', async (t) => {
    const refusal = 'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n';
    const { client, proxy } = await startChain(t, () => refusal, forwarding);
    client.write(expecting);
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 417 [^]*connection: close\r\n\r\n$/);
    assert.equal(proxy.downstream.responsesBeforeRequestEnd.value, 1);
  });

  test('no other expectation is met', async (t) => {
    const { client, seen } = await startChain(t, () => hello);
    client.write(expecting.replace('100-continue', '200-ok'));
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 417 /);
    assert.equal(seen(), '');
  });
});
