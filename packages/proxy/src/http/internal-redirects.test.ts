// Redirects that the proxy follows itself.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Route } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { parseRedirectTarget } from '../routing/internal-redirect.ts';
import { get, hello, startChain } from './chain-under-test.ts';
import { EscapedSlashes } from './path-normalization.ts';
import type { HttpFilter } from './http-filter.ts';
import { type ProxyOptions, toBackend } from './proxy-under-test.ts';

type Test = { after(fn: () => unknown): void };
type Policy = NonNullable<NonNullable<ProxyOptions['route']>['internalRedirectPolicy']>;

const to = (location: string, body = 'no') =>
  `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nX-Copied: yes\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

function start(t: Test, answers: string[], policy: Policy = {}, options: Partial<ProxyOptions> = {}) {
  return startChain(
    t,
    (text) => (/\r\n\r\n(?:abc|3\r\nabc\r\n0\r\n\r\n)?$/.test(text) ? answers.shift()! : null),
    {
      routes: [toBackend({ internalRedirectPolicy: policy })],
      ...options,
    },
  );
}

describe('a redirect is followed', () => {
  test('with what the request was and what the response adds', async (t) => {
    const { client, proxy, seen } = await start(t, [to('http://other/next?c=d#e'), hello], {
      responseHeadersToCopy: ['X-Copied'],
    });
    client.write(get.replace('Host', 'X-Mine: 1\r\nHost'));
    assert.match(await client.until((text) => text.endsWith('hello')), /^HTTP\/1\.1 200 /);
    const [, , next = ''] = seen().split('GET ');
    assert.match(next, /^\/next\?c=d HTTP\/1\.1\r\nhost: other\r\n/);
    assert.match(next, /\r\nx-mine: 1\r\n/i);
    assert.match(next, /\r\nx-copied: yes\r\n/);
    assert.match(next, /\r\nx-envoy-original-url: http:\/\/reviews\/a\?b=c\r\n/);
    assert.equal(next.match(/x-request-id/g)?.length, 1);
    assert.equal(proxy.metrics.redirectsFollowed.value, 1);
    assert.equal(proxy.downstream.requestsTotal.value, 2);
    assert.equal(proxy.downstream.requestsActive.value, 0);
    assert.equal(proxy.finished.length, 1);
  });

  for (const [framing, body] of [
    ['Content-Length: 3', 'abc'],
    ['Transfer-Encoding: chunked', '3\r\nabc\r\n0\r\n\r\n'],
  ]) {
    test(`with its body: ${framing}`, async (t) => {
      const { client, seen } = await start(t, [to('http://other/next'), hello]);
      client.write(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${body}`);
      await client.until((text) => text.endsWith('hello'));
      assert.equal(seen().split(`\r\n\r\n${body}`).length, 3);
      assert.match(seen(), /POST \/next [^]*abc[^]*$/);
    });
  }

  test('on the same connection where the response ends with its head, and the client goes on', async (t) => {
    const { client, upstreams, proxy } = await start(t, [to('http://other/next', ''), hello, hello]);
    client.write(get);
    await client.until((text) => text.endsWith('hello'));
    client.write(get);
    await client.until((text) => text.split('hello').length === 3);
    assert.equal(upstreams.length, 1);
    assert.equal(proxy.finished.length, 2);
  });

  test('and copied as any other, with its body', async (t) => {
    const copies: string[] = [];
    const answers = [to('http://other/next'), hello];
    const { client, untilSeen } = await startChain(
      t,
      (text) => {
        if (!text.endsWith('\r\n\r\nabc')) return null;
        if (!text.includes('-shadow')) return answers.shift()!;
        copies.push(text.slice(0, text.indexOf(' HTTP')));
        return hello;
      },
      { routes: [toBackend({ internalRedirectPolicy: {}, requestMirrorPolicies: [{ cluster: 'be' }] })] },
    );
    client.write('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc');
    await client.until((text) => text.endsWith('hello'));
    await untilSeen((seen) => seen.split('\r\n\r\nabc').length === 5);
    assert.deepEqual(copies.sort(), ['POST /a', 'POST /next']);
  });

  test('to an answer of the proxy, which is not that of the cluster before it', async (t) => {
    const direct = Route.fromPartial({
      match: { pathSpecifier: { $case: 'prefix', value: '/next' } },
      action: { $case: 'directResponse', value: { status: 503 } },
    });
    const hosts: string[] = [];
    const { client, proxy } = await startChain(t, () => to('http://other/next'), {
      routes: [direct, toBackend({ internalRedirectPolicy: {} })],
      onFinished: ({ upstreamCluster, upstreamHost }) => hosts.push(upstreamCluster, upstreamHost),
    });
    client.write(get);
    await client.until((text) => /^HTTP\/1\.1 503 [^]*\r\n\r\n$/.test(text));
    assert.deepEqual(hosts, ['', '']);
    const [endpoint] = proxy.cluster.endpoints;
    assert.equal(endpoint?.requestsFailed, 0);
  });

  test('and its time is that of its own upstream', async (t) => {
    const answers = [to('http://other/next', ''), hello];
    let redirectedAt = 0;
    const { client, proxy } = await startChain(
      t,
      (_, socket) => {
        if (answers.length === 1) return answers.shift()!;
        const write = (): void => {
          redirectedAt = performance.now();
          socket.write(answers.shift()!);
        };
        proxy.timers.arm({ deadlineMs: -1, wheelSlot: -1, onTimeout: write }, 100);
        return null;
      },
      { routes: [toBackend({ internalRedirectPolicy: {} })] },
    );
    client.write(get);
    const answer = await client.until((text) => text.endsWith('hello'));
    const ms = /x-envoy-upstream-service-time: (\d+)/.exec(answer)?.[1];
    assert.ok(Number(ms) <= performance.now() - redirectedAt + 1, String(ms));
  });

  test('only past the filters', async (t) => {
    const refused = { status: 403, flag: '-', details: 'refused', body: 'not there' };
    const filter: HttpFilter = { onRequest: ({ path }) => (path === '/secret' ? refused : null) };
    const { client, seen } = await start(t, [to('http://other/secret')], {}, { filters: [filter] });
    client.write(get);
    assert.match(await client.until((text) => text.endsWith('not there')), /^HTTP\/1\.1 403 /);
    assert.equal(seen().split('GET ').length, 2);
  });
});

test('a redirect leads past no policy by the form of its path', async (t) => {
  const path = { normalizes: true, mergesSlashes: false, escapedSlashes: EscapedSlashes.reject };
  const { client, seen, proxy } = await start(
    t,
    [to('http://other/open/../secret'), to('http://other/a%2Fb')],
    { maxInternalRedirects: 5 },
    { rules: { path } },
  );
  client.write(get);
  await client.until((text) => text.endsWith('no'));
  assert.match(seen(), /GET \/secret /);
  assert.equal(proxy.downstream.redirectsToNoUrl.value, 1);
});

describe('a redirect is passed on', () => {
  const cases: readonly (readonly [
    string,
    string,
    keyof Awaited<ReturnType<typeof start>>['proxy']['downstream'],
  ])[] = [
    ['that is relative', '/next', 'redirectsToNoUrl'],
    ['to another scheme', 'https://other/next', 'redirectsToUnsafeScheme'],
  ];
  for (const [name, location, counter] of cases) {
    test(name, async (t) => {
      const { client, proxy } = await start(t, [to(location)]);
      client.write(get);
      assert.match(await client.until((text) => text.endsWith('no')), /^HTTP\/1\.1 302 /);
      assert.equal((proxy.downstream[counter] as { value: number }).value, 1);
      assert.equal(proxy.metrics.redirectsPassedOn.value, 1);
    });
  }

  test('when there were enough', async (t) => {
    const { client, proxy } = await start(t, [to('http://other/1'), to('http://other/2')]);
    client.write(get);
    assert.match(await client.until((text) => text.endsWith('no')), /\r\nlocation: http:\/\/other\/2\r\n/i);
    assert.equal(proxy.downstream.redirectsTooMany.value, 1);
  });

  test('when the body was too large to be kept', async (t) => {
    const { client, proxy } = await start(t, [to('http://other/1')], {}, { bufferLimitBytes: 2 });
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc');
    assert.match(await client.until((text) => text.endsWith('no')), /^HTTP\/1\.1 302 /);
    assert.equal(proxy.metrics.redirectsPassedOn.value, 1);
    assert.equal(proxy.metrics.retriesAbandoned.value, 1);
  });
});

test('only absolute URLs of HTTP are targets', () => {
  const pathOf = (location: string): string | undefined => parseRedirectTarget(location)?.path;
  assert.equal(pathOf('http://a'), '/');
  assert.equal(pathOf('HTTPS://a.b:80?c#d'), '/?c');
  assert.equal(pathOf('http://[::1]:8080/x'), '/x');
  for (const location of [
    '',
    'a',
    '//a/b',
    'ftp://a/',
    'http:///x',
    'http://u@a/',
    'http://a/b c',
    'http://a/b\u00e9',
    'http://a/b\u0001',
    'http://a\\b/',
    'http://a:b/',
  ])
    assert.equal(parseRedirectTarget(location), null, location);
});
