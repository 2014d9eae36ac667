// How long one try of a request may take, and where the next one goes.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { get, hello, startChain } from './chain-under-test.ts';
import { type ProxyOptions, toBackend } from './proxy-under-test.ts';

type Test = { after(fn: () => unknown): void };
type Policy = NonNullable<NonNullable<ProxyOptions['route']>['retryPolicy']>;

const ms = (count: number) => ({ seconds: Math.floor(count / 1000), nanos: (count % 1000) * 1e6 });

/** A chain whose backend answers each request with the next of these; with nothing where it is null. */
function start(
  t: Test,
  retryPolicy: Policy,
  answers: (string | null)[],
  options: Partial<ProxyOptions> = {},
) {
  return startChain(t, (text) => (text.endsWith('\r\n\r\n') ? (answers.shift() ?? null) : null), {
    route: { retryPolicy },
    ...options,
  });
}

describe('a try that takes too long', () => {
  test('is given up for another one, of which the upstream is told', async (t) => {
    const { client, proxy, seen } = await start(
      t,
      { retryOn: 'reset', perTryTimeout: ms(40) },
      [null, hello],
      { virtualHost: { includeIsTimeoutRetryHeader: true } },
    );
    client.write(get);
    await client.until((text) => text.endsWith('hello'));
    assert.equal(proxy.metrics.tryTimeouts.value, 1);
    assert.equal(proxy.metrics.retrySuccesses.value, 1);
    assert.equal(proxy.cluster.endpoints[0]!.requestTimeouts, 1);
    assert.deepEqual(seen().match(/x-envoy-(expected|is)[^\r]*/g), [
      'x-envoy-expected-rq-timeout-ms: 40',
      'x-envoy-expected-rq-timeout-ms: 40',
      'x-envoy-is-timeout-retry: true',
    ]);
  });

  test('is the last one where the route tries nothing again', async (t) => {
    const { client, proxy } = await start(t, { perTryTimeout: ms(30) }, [null]);
    client.write(get);
    assert.match(await client.until((text) => text.endsWith('upstream request timeout')), /^HTTP\/1\.1 504 /);
    assert.deepEqual(proxy.finished[0], { code: 504, flags: 'UT', details: 'upstream_per_try_timeout' });
    assert.equal(proxy.metrics.requestTimeouts.value, 0);
  });

  test('is the last one when there were enough', async (t) => {
    const { client, proxy } = await start(t, { retryOn: 'reset', perTryTimeout: ms(20) }, [null, null]);
    client.write(get);
    await client.until((text) => text.endsWith('upstream request timeout'));
    assert.equal(proxy.finished[0]?.flags, 'URX,UT');
    assert.equal(proxy.metrics.tryTimeouts.value, 2);
  });

  test('is none while its request is still coming, nor once its response has begun', async (t) => {
    const { client, proxy, upstreams } = await start(t, { perTryTimeout: ms(40) }, [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
    ]);
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n');
    await client.until((text) => text.includes('\r\n\r\n'));
    client.write('body');
    await new Promise<void>((resolve) =>
      proxy.timers.arm({ deadlineMs: -1, wheelSlot: -1, onTimeout: resolve }, 90),
    );
    upstreams[0]!.write('hello');
    await client.until((text) => text.endsWith('hello'));
    assert.equal(proxy.metrics.tryTimeouts.value, 0);
  });

  test('has no time of its own where all tries together have less', async (t) => {
    const { client, proxy, seen } = await start(t, {}, [null], {
      routes: [toBackend({ timeout: ms(30), retryPolicy: { perTryTimeout: ms(60) } })],
    });
    client.write(get);
    await client.until((text) => text.endsWith('upstream request timeout'));
    assert.equal(proxy.metrics.requestTimeouts.value, 1);
    assert.match(seen(), /x-envoy-expected-rq-timeout-ms: 30\r/);
  });
});

describe('a try that stands still', () => {
  test('is given up, and tried again where the route says so', async (t) => {
    const policy = { retryOn: '5xx', perTryIdleTimeout: ms(30) };
    const { client, proxy } = await start(t, policy, [null, hello]);
    client.write(get);
    await client.until((text) => text.endsWith('hello'));
    assert.equal(proxy.metrics.tryIdleTimeouts.value, 1);
    assert.equal(proxy.metrics.retries.value, 1);
  });

  test('may do so as long as its request is still coming', async (t) => {
    const { client, proxy } = await startChain(t, (text) => (text.endsWith('dy') ? hello : null), {
      route: { retryPolicy: { perTryIdleTimeout: ms(30) } },
    });
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo');
    await new Promise<void>((resolve) =>
      proxy.timers.arm({ deadlineMs: -1, wheelSlot: -1, onTimeout: resolve }, 90),
    );
    client.write('dy');
    await client.until((text) => text.endsWith('hello'));
    assert.equal(proxy.metrics.tryIdleTimeouts.value, 0);
  });

  test('in the middle of a response is its end', async (t) => {
    const { client, proxy } = await start(t, { perTryIdleTimeout: ms(30) }, [
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf',
    ]);
    client.write(get);
    await client.untilEnd();
    assert.equal(proxy.metrics.tryIdleTimeouts.value, 1);
    assert.equal(proxy.finished[0]?.details, 'upstream_per_try_idle_timeout');
  });
});

test('an upstream that says when it may be asked again is asked then', async (t) => {
  const busy = 'HTTP/1.1 503 Busy\r\nretry-after: 3600\r\nContent-Length: 0\r\n\r\n';
  const { client, proxy } = await start(
    t,
    {
      retryOn: '5xx',
      rateLimitedRetryBackOff: { resetHeaders: [{ name: 'retry-after' }], maxInterval: ms(4e6) },
    },
    [busy],
  );
  client.write(get);
  while (proxy.metrics.retries.value === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(proxy.metrics.retriesRateLimited.value, 1);
  assert.equal(proxy.metrics.retriesBackedOff.value, 0);
});

test('a request that may not be tried again is not, nor is its body counted as too large', async (t) => {
  const retriableRequestHeaders = [{ name: 'x-again' }];
  const { client, proxy } = await start(
    t,
    { retryOn: '5xx', retriableRequestHeaders },
    [
      'HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nnope',
      'HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n',
      hello,
    ],
    { bufferLimitBytes: 0 },
  );
  client.write(get);
  await client.until((text) => text.endsWith('nope'));
  assert.equal(proxy.metrics.retries.value, 0);
  client.write(get.replace('Host', 'X-Again: 1\r\nHost'));
  await client.until((text) => text.endsWith('hello'));
});
