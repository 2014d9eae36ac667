import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { defaultCircuitBreakerLimits } from '../cluster/circuit-breaker.ts';
import { FrameFlag } from '../http2/frame.ts';
import { FrameTexts, data, headers, settings } from '../http2/test-peer.ts';
import { get, hello, startChain } from './chain-under-test.ts';
import { type ProxyOptions, RawClient, startBackend, startProxy, toBackend } from './proxy-under-test.ts';

type Action = NonNullable<ProxyOptions['route']>;
type Policy = NonNullable<Action['retryPolicy']>;
type Test = { after(fn: () => unknown): void };

const failed = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nnope';
const count = (text: string, of: string): number => text.split(of).length - 1;

/** A chain whose backend answers one request after the other with these; a null closes the connection. */
function start(
  t: Test,
  retryPolicy: Policy,
  answers: readonly (string | null)[],
  options: Partial<ProxyOptions> = {},
) {
  let requests = 0;
  return startChain(
    t,
    (_, socket: Socket) => {
      const answer = answers[Math.min(requests++, answers.length - 1)]!;
      if (answer === null) socket.destroy();
      return answer;
    },
    { route: { retryPolicy }, ...options },
  );
}

describe('a request is tried again', () => {
  test('when its connection ends without an answer, as often as the route says', async (t) => {
    const { client, proxy, seen } = await start(t, { retryOn: 'reset', numRetries: 2 }, [null, null, hello]);
    client.write(get);
    await client.until((text) => text.endsWith('hello'));
    assert.equal(count(seen(), 'GET /a'), 3);
    assert.equal(proxy.finished[0]?.flags, '-');
    assert.equal(proxy.metrics.retries.value, 2);
    assert.equal(proxy.metrics.retriesBackedOff.value, 2);
    assert.equal(proxy.metrics.retrySuccesses.value, 1);
  });

  test('when its response says so, which nobody sees', async (t) => {
    const { client, proxy, upstreams } = await start(t, { retryOn: '5xx' }, [failed, hello]);
    client.write(get);
    assert.match(await client.until((text) => text.endsWith('hello')), /^HTTP\/1\.1 200 /);
    assert.equal(upstreams.length, 2, 'the rest of a response is not worth its connection');
    assert.equal(proxy.metrics.retrySuccesses.value, 1);
    assert.equal(proxy.metrics.requestsActive.value, 0);
  });

  test('when the head of a gRPC response says so, and not when its HTTP status does', async (t) => {
    const unavailable = 'HTTP/1.1 200 OK\r\ngrpc-status: 14\r\nContent-Length: 0\r\n\r\n';
    const retryPolicy = { retryOn: 'unavailable', numRetries: 2 };
    const { client, proxy, seen } = await start(t, retryPolicy, [unavailable, unavailable, failed]);
    client.write(get);
    assert.match(await client.until((text) => text.endsWith('nope')), /^HTTP\/1\.1 503 /);
    assert.equal(count(seen(), 'GET /a'), 3);
    assert.equal(proxy.metrics.retries.value, 2);
  });

  test('on the same connection behind a response without a body', async (t) => {
    const empty = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n';
    const { client, upstreams } = await start(t, { retryOn: '5xx' }, [empty, hello]);
    client.write(get);
    await client.until((text) => text.endsWith('hello'));
    assert.equal(upstreams.length, 1);
  });

  test('not when a rate limit answered, unless that is asked for', async (t) => {
    const limited = 'HTTP/1.1 503 Busy\r\nx-envoy-ratelimited: true\r\nContent-Length: 4\r\n\r\nwait';
    const { client, proxy } = await start(t, { retryOn: '5xx' }, [limited, hello]);
    client.write(get);
    await client.until((text) => text.endsWith('wait'));
    assert.equal(proxy.metrics.retries.value, 0);
    const asked = await start(t, { retryOn: 'envoy-ratelimited' }, [limited, hello]);
    asked.client.write(get);
    await asked.client.until((text) => text.endsWith('hello'));
  });

  test('not behind an interim response', async (t) => {
    const { client, proxy } = await startChain(
      t,
      (_, socket) => {
        socket.end('HTTP/1.1 103 Early Hints\r\n\r\n');
        return null;
      },
      { route: { retryPolicy: { retryOn: 'reset' } }, server: { forwardsExpectation: true } },
    );
    client.write(get);
    await client.until((text) => text.includes('HTTP/1.1 503 '));
    assert.equal(proxy.metrics.retries.value, 0);
  });
});

describe('the last answer stands', () => {
  test('with a flag when it was tried often enough', async (t) => {
    const { client, proxy, seen } = await start(t, { retryOn: '5xx', numRetries: 1 }, [failed]);
    client.write(get);
    await client.until((text) => text.endsWith('nope'));
    assert.equal(count(seen(), 'GET /a'), 2);
    assert.deepEqual(proxy.finished[0], { code: 503, flags: 'URX', details: 'via_upstream' });
    assert.equal(proxy.metrics.retryLimitsReached.value, 1);
    assert.equal(proxy.metrics.retrySuccesses.value, 0);
  });

  test('with a flag when the circuit breaker lets no more be tried again', async (t) => {
    const breakerLimits = { ...defaultCircuitBreakerLimits, maxRetries: 0 };
    const { client, proxy } = await start(t, { retryOn: 'reset' }, [null], { breakerLimits });
    client.write(get);
    await client.until((text) => text.includes('\r\n\r\n'));
    assert.equal(proxy.finished[0]?.flags, 'UO,UC');
    assert.equal(proxy.metrics.retryOverflows.value, 1);
    assert.equal(proxy.metrics.retries.value, 0);
  });

  test('gives its place among the retries back', async (t) => {
    const breakerLimits = { ...defaultCircuitBreakerLimits, maxRetries: 1 };
    const policy = { retryOn: '5xx', numRetries: 1 };
    const { client, proxy } = await start(t, policy, [failed, hello, failed, hello], { breakerLimits });
    client.write(get + get);
    await client.until((text) => count(text, 'hello') === 2);
    assert.equal(proxy.metrics.retryOverflows.value, 0);
  });
});

test('a response that is not over with its head disturbs no later try', async (t) => {
  const head = [[':status', '503']] as const;
  const ask = 'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n';
  const texts = new FrameTexts();
  let tries = 0;
  const backend = await startBackend((socket) => {
    socket.write(settings());
    socket.on('data', (chunk: Buffer) => {
      for (const text of texts.read(chunk)) {
        if (!text.startsWith('HEADERS')) continue;
        const id = Number(text.split(' ')[1]);
        // The first one's end comes when the second one is on its way.
        if (++tries === 1) socket.write(headers(id, head));
        else {
          socket.write(data(id - 2, '', FrameFlag.endStream));
          setImmediate(() => socket.write(headers(id, [[':status', '204']], FrameFlag.endStream)));
        }
      }
    });
  });
  const route = { retryPolicy: { retryOn: '5xx' } };
  const proxy = await startProxy({ ports: [backend.port], protocol: 'http2', route });
  const client = new RawClient(proxy.port);
  t.after(async () => {
    client.close();
    await proxy.close();
    await backend.close();
  });
  client.write(ask);
  assert.match(await client.until((text) => text.endsWith('\r\n\r\n')), /^HTTP\/1\.1 204 /);
  assert.equal(tries, 2);
});

test('a client that goes during a pause ends it', async (t) => {
  const slow = { retryOn: 'reset', retryBackOff: { baseInterval: { seconds: 3600, nanos: 0 } } };
  const { client, proxy, seen } = await start(t, slow, [null]);
  client.write(get);
  while (proxy.metrics.retries.value === 0) await new Promise((resolve) => setImmediate(resolve));
  client.close();
  while (proxy.finished.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(proxy.finished[0]?.flags, 'DC');
  assert.equal(count(seen(), 'GET /a'), 1);
});

test('both sides are told how often a request was sent', async (t) => {
  const host = { includeRequestAttemptCount: true, includeAttemptCountInResponse: true };
  const route = toBackend({ retryPolicy: { retryOn: 'reset', numRetries: 1 } });
  const { client, seen } = await start(t, {}, [null, hello], { routes: [route], virtualHost: host });
  client.write(get.replace('\r\n\r\n', '\r\nx-envoy-attempt-count: 7\r\n\r\n'));
  const text = await client.until((received) => received.endsWith('hello'));
  assert.deepEqual(seen().match(/x-envoy-attempt-count: \d/g), [
    'x-envoy-attempt-count: 1',
    'x-envoy-attempt-count: 2',
  ]);
  assert.match(text, /\r\nx-envoy-attempt-count: 2\r\n/);
});

test('the upstream is told how much time is left', async (t) => {
  const { client, seen } = await start(t, {}, [null, hello], {
    routes: [toBackend({ retryPolicy: { retryOn: 'reset' }, timeout: { seconds: 10, nanos: 0 } })],
  });
  client.write(get);
  await client.until((received) => received.endsWith('hello'));
  const told = seen()
    .match(/x-envoy-expected-rq-timeout-ms: (\d+)/g)!
    .map((line) => Number(line.slice(32)));
  assert.equal(told[0], 10_000);
  assert.ok(told[1]! < 10_000 && told[1]! > 5000, String(told[1]));
});

test('what an upstream has agreed to become is tried no other time, though its status is one to be tried again', async (t) => {
  const granted = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';
  const policy = { retryOn: 'retriable-status-codes', retriableStatusCodes: [101], numRetries: 1 };
  const { client, seen } = await start(t, policy, [granted, null], { upgrades: { echo: 'forward' } });
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
  await client.until((text) => text.startsWith('HTTP/1.1 101'));
  assert.equal(count(seen(), 'GET '), 1);
});
