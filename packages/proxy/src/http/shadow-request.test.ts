// Copies of requests. Both the request and its copies go to the same backend.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { get, hello, startChain } from './chain-under-test.ts';
import { type ProxyOptions, toBackend } from './proxy-under-test.ts';

type Test = { after(fn: () => unknown): void };
type Policy = NonNullable<NonNullable<ProxyOptions['route']>['requestMirrorPolicies']>[number];

const isCopy = (text: string): boolean => /\r\nhost: [^\r]*-shadow/i.test(text);

/** A chain that answers requests once they end so, and copies as is said. */
function start(
  t: Test,
  policies: readonly Policy[],
  {
    end = '\r\n\r\n',
    resetsCopies = false,
    ...options
  }: Partial<ProxyOptions> & {
    readonly end?: string;
    readonly resetsCopies?: boolean;
  } = {},
) {
  return startChain(
    t,
    (text, socket) => {
      if (!text.endsWith(end)) return null;
      if (!isCopy(text)) return hello;
      if (!resetsCopies) return hello;
      socket.destroy();
      return null;
    },
    { routes: [toBackend({ requestMirrorPolicies: [...policies] })], ...options },
  );
}

const toItself: Policy = { cluster: 'be' };

describe('a copy of a request', () => {
  test('tells that it is one', async (t) => {
    const { client, proxy, untilSeen } = await start(t, [toItself]);
    client.write(get.replace('reviews', 'reviews:80'));
    await client.until((text) => text.endsWith('hello'));
    const seen = await untilSeen(isCopy);
    assert.match(
      seen,
      /GET \/a\?b=c HTTP\/1\.1\r\nhost: reviews-shadow:80\r\n[^]*x-envoy-internal: true\r\n/,
    );
    while (proxy.metrics.requestsActive.value > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(proxy.metrics.requestsTotal.value, 2);
    assert.equal(proxy.finished.length, 1);
  });

  test('has its body, in chunks where it came so, while it comes', async (t) => {
    const { client, untilSeen } = await start(t, [toItself], { end: '0\r\n\r\n' });
    client.write('POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await untilSeen((seen) => seen.split('3\r\nabc\r\n').length === 3);
    client.write('2\r\nde\r\n0\r\n\r\n');
    await client.until((text) => text.endsWith('hello'));
    await untilSeen((seen) => seen.split('2\r\nde\r\n0\r\n\r\n').length === 3);
  });

  test('says which try it is, as the request does', async (t) => {
    const virtualHost = { includeRequestAttemptCount: true };
    const { client, untilSeen } = await start(t, [toItself], { virtualHost });
    client.write(get);
    await client.until((text) => text.endsWith('hello'));
    const seen = await untilSeen(isCopy);
    assert.equal(seen.split('x-envoy-attempt-count: 1\r\n').length, 3);
  });

  test('may keep the host', async (t) => {
    const { client, untilSeen } = await start(t, [{ ...toItself, disableShadowHostSuffixAppend: true }]);
    client.write(get);
    const seen = await untilSeen((text) => text.includes('x-envoy-internal: true'));
    assert.equal(isCopy(seen), false);
  });

  test('goes where the request says, and nowhere where there is nothing', async (t) => {
    const { client, proxy, untilSeen } = await start(t, [{ clusterHeader: 'x-copy' }]);
    client.write(get + get.replace('\r\n\r\n', '\r\nx-copy: be\r\n\r\n'));
    await untilSeen(isCopy);
    await client.until((text) => text.split('hello').length === 3);
    assert.equal(proxy.metrics.requestsTotal.value, 3);
  });

  test('that fails disturbs nobody', async (t) => {
    const { client, proxy, untilSeen } = await start(t, [toItself], { resetsCopies: true });
    client.write(get);
    await untilSeen(isCopy);
    await client.until((text) => text.endsWith('hello'));
    while (proxy.metrics.requestsActive.value > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(proxy.finished[0]?.code, 200);
  });

  test('has its time from its end on', async (t) => {
    const { client, proxy, untilSeen } = await startChain(
      t,
      (text) => (text.endsWith('abc') ? hello : null),
      {
        routes: [
          toBackend({ requestMirrorPolicies: [toItself], timeout: { seconds: 0, nanos: 20_000_000 } }),
        ],
      },
    );
    client.write('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab');
    await untilSeen((seen) => seen.split('\r\n\r\nab').length === 3);
    await new Promise((resolve) =>
      proxy.timers.arm({ deadlineMs: -1, wheelSlot: -1, onTimeout: () => resolve(null) }, 60),
    );
    client.write('c');
    await client.until((text) => text.endsWith('hello'));
    while (proxy.metrics.requestsActive.value > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(proxy.metrics.requestTimeouts.value, 0);
  });

  test('is given up with a client that goes before its request is complete', async (t) => {
    const { client, proxy, untilSeen } = await start(t, [toItself], { end: 'never' });
    client.write('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc');
    await untilSeen(isCopy);
    client.close();
    while (proxy.metrics.requestsActive.value > 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(proxy.finished[0]?.flags, 'DC');
  });

  test('is not made of the share that nobody wants', async (t) => {
    const runtimeFraction = { defaultValue: { numerator: 0, denominator: 0 as const } };
    const { client, proxy } = await start(t, [{ ...toItself, runtimeFraction }]);
    client.write(get);
    await client.until((text) => text.endsWith('hello'));
    assert.equal(proxy.metrics.requestsTotal.value, 1);
  });
});
