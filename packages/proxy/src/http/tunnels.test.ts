import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { get, hello, startChain } from './chain-under-test.ts';
import { toBackend } from './proxy-under-test.ts';

const upgrade =
  'GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n';
const switching =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: y\r\n\r\n';
const websocket = { upgrades: { websocket: 'forward' }, allowHalfOpen: true } as const;
const isHead = (received: string): boolean => received.endsWith('\r\n\r\n');
const echo = (received: string): string | null =>
  received.startsWith('GET /chat') ? (isHead(received) ? switching : null) : received.toUpperCase();

describe('an upgrade', () => {
  test('is forwarded, and what follows 101 is bytes both ways', async (t) => {
    const { client, proxy, seen } = await startChain(t, echo, websocket);
    client.write(upgrade);
    const head = await client.until(isHead);
    assert.match(head, /^HTTP\/1\.1 101 Switching Protocols\r\nSec-WebSocket-Accept: y\r\n/);
    assert.match(head, /\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n$/);
    assert.match(seen(), /^GET \/chat HTTP\/1\.1\r\n[^]*\r\nupgrade: websocket\r\nconnection: Upgrade\r\n/);
    client.write('GET /hidden HTTP/1.1\r\n\r\n');
    await client.until((text) => text.endsWith('GET /HIDDEN HTTP/1.1\r\n\r\n'));
    const { upgradesTotal, upgradesActive, requestsActive } = proxy.downstream;
    assert.deepEqual([upgradesTotal.value, upgradesActive.value, requestsActive.value], [1, 1, 1]);
    assert.equal(proxy.metrics.requestsActive.value, 1);
    client.socket.resetAndDestroy();
    await proxy.connections.whenEmpty();
    assert.deepEqual([upgradesTotal.value, upgradesActive.value, requestsActive.value], [1, 0, 0]);
    assert.deepEqual(proxy.finished, [{ code: 101, flags: 'DC', details: 'downstream_remote_disconnect' }]);
  });

  test('hands over what the client and the upstream sent early', async (t) => {
    const { client, untilSeen, upstreams } = await startChain(t, () => null, websocket);
    client.write(`${upgrade}early`);
    assert.doesNotMatch(await untilSeen(isHead), /early/);
    upstreams[0]!.write(`${switching}first`);
    await client.until((text) => text.endsWith('\r\n\r\nfirst'));
    await untilSeen((seen) => seen.endsWith('early'));
  });

  test('is closed on one side at a time', async (t) => {
    const { client, upstreams, proxy } = await startChain(t, echo, websocket);
    client.write(upgrade);
    await client.until(isHead);
    const upstream = upstreams[0]!;
    const ended = once(upstream, 'end');
    client.socket.end('last');
    await ended;
    upstream.end('later');
    assert.match(await client.untilEnd(), /LASTlater$/);
    await proxy.connections.whenEmpty();
    assert.deepEqual(proxy.finished, [{ code: 101, flags: '-', details: 'via_upstream' }]);
    assert.equal(proxy.metrics.requestsActive.value, 0);
  });

  test('ends for the client when the upstream is lost', async (t) => {
    const { client, upstreams, proxy } = await startChain(t, echo, websocket);
    client.write(upgrade);
    await client.until(isHead);
    upstreams[0]!.destroy();
    await client.untilEnd();
    await proxy.connections.whenEmpty();
    assert.equal(proxy.finished[0]?.flags, '-');
  });

  test('that stands still is closed after the idle timeout', async (t) => {
    const { client, proxy } = await startChain(t, echo, { ...websocket, streamIdleTimeoutMs: 60 });
    client.write(upgrade);
    await client.untilEnd();
    assert.deepEqual(proxy.finished, [{ code: 101, flags: 'SI', details: 'stream_idle_timeout' }]);
    assert.equal(proxy.downstream.streamIdleTimeouts.value, 1);
  });

  test('lasts as long as max_stream_duration allows', async (t) => {
    const { client, proxy } = await startChain(t, echo, { ...websocket, maxStreamDurationMs: 60 });
    client.write(upgrade);
    await client.untilEnd();
    assert.equal(proxy.finished[0]?.code, 101);
    assert.equal(proxy.downstream.maxStreamDurationsReached.value, 1);
    assert.equal(proxy.downstream.upgradesActive.value, 0);
  });

  test('carries a lot against a slow reader, both ways', async (t) => {
    const size = 6 * 1024 * 1024;
    const { client, upstreams, untilSeen } = await startChain(
      t,
      (received) => (isHead(received) && received.startsWith('GET') ? switching : null),
      websocket,
    );
    client.write(upgrade);
    await client.until(isHead);
    const upstream = upstreams[0]!;
    upstream.pause();
    client.socket.pause();
    client.socket.write(Buffer.alloc(size, 0x61));
    upstream.write(Buffer.alloc(size, 0x62));
    client.socket.resume();
    await client.until((text) => text.length >= size);
    upstream.resume();
    await untilSeen((seen) => seen.length >= size);
  });

  test('that the upstream declines is an answer, and the end of both connections', async (t) => {
    const { client, proxy, seen } = await startChain(t, () => hello, websocket);
    client.write(upgrade + get);
    const response = await client.untilEnd();
    assert.match(response, /^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n\r\nhello$/);
    assert.doesNotMatch(seen(), /GET \/a/, 'what may have been meant for the tunnel is no request');
    assert.equal(proxy.metrics.connectionsActive.value, 0);
  });

  test('is refused where neither listener nor route takes it, with its connection', async (t) => {
    for (const options of [{}, { upgrades: { websocket: 'refuse' } } as const]) {
      const { client, proxy, seen } = await startChain(t, () => hello, options);
      client.write(upgrade + get);
      assert.match(await client.untilEnd(), /^HTTP\/1\.1 403 [^]*connection: close\r\n/);
      assert.equal(seen(), '');
      assert.deepEqual(proxy.finished, [{ code: 403, flags: '-', details: 'upgrade_failed' }]);
      assert.equal(proxy.downstream.upgradesRefused.value, 1);
    }
  });

  test('is taken by its route where the listener refuses it, and the other way round', async (t) => {
    const routes = [toBackend({ upgradeConfigs: [{ upgradeType: 'WebSocket' }] })];
    const taken = await startChain(t, echo, { upgrades: { websocket: 'refuse' }, routes });
    taken.client.write(upgrade);
    assert.match(await taken.client.until(isHead), /^HTTP\/1\.1 101 /);
    const refusing = [toBackend({ upgradeConfigs: [{ upgradeType: 'websocket', enabled: false }] })];
    const refused = await startChain(t, echo, { ...websocket, routes: refusing });
    refused.client.write(upgrade);
    assert.match(await refused.client.untilEnd(), /^HTTP\/1\.1 403 /);
  });

  test('to h2c is ignored', async (t) => {
    const { client, seen } = await startChain(t, () => hello, websocket);
    client.write(
      'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade, http2-settings\r\nHTTP2-Settings: x\r\n\r\n',
    );
    await client.until((text) => text.endsWith('hello'));
    assert.doesNotMatch(seen(), /upgrade|http2-settings/i);
  });

  test('switched before the request’s end is no response', async (t) => {
    const { client, proxy } = await startChain(t, () => switching, websocket);
    client.write(upgrade.replace('\r\n\r\n', '\r\nContent-Length: 9\r\n\r\nhalf'));
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 502 /);
    assert.equal(proxy.finished[0]?.flags, 'UPE');
  });
});

const connect = 'CONNECT db:5432 HTTP/1.1\r\nHost: other\r\n\r\n';
const toConnect = (connectConfig?: object) =>
  toBackend(
    {
      upgradeConfigs: [{ upgradeType: 'CONNECT', ...(connectConfig === undefined ? {} : { connectConfig }) }],
    },
    { pathSpecifier: { $case: 'connectMatcher', value: {} } },
  );

describe('CONNECT', () => {
  test('ends here with connect_config: the upstream gets the bytes alone', async (t) => {
    const { client, proxy, seen } = await startChain(t, (received) => received.toUpperCase(), {
      routes: [toConnect({})],
      allowHalfOpen: true,
    });
    client.write(`${connect}early`);
    const response = await client.until((text) => text.endsWith('EARLY'));
    assert.match(response, /^HTTP\/1\.1 200 OK\r\n/);
    assert.doesNotMatch(response, /content-length|transfer-encoding|connection:/i);
    assert.equal(seen(), 'early');
    assert.equal(proxy.metrics.connectionsTotal.value, 1);
    assert.equal(proxy.metrics.bytesSent.value, 5);
    assert.equal(proxy.downstream.upgradesTotal.value, 1);
    client.socket.resetAndDestroy();
    await proxy.connections.whenEmpty();
    assert.equal(proxy.downstream.upgradesActive.value, 0);
    assert.equal(proxy.finished[0]?.code, 200);
  });

  for (const [port, status] of [
    ['65535', 200],
    ['65536', 400],
    ['99999', 400],
  ] as const) {
    test(`to port ${port} is answered by ${status}`, async (t) => {
      const { client, proxy } = await startChain(t, () => null, { routes: [toConnect({})] });
      client.write(connect.replace('5432', port));
      const response = await client.until((text) => text.includes('\r\n\r\n'));
      assert.ok(response.startsWith(`HTTP/1.1 ${status} `), response);
      assert.equal(proxy.metrics.connectionsTotal.value, status === 200 ? 1 : 0);
    });
  }

  test('goes on to the upstream without connect_config, as a request for the same authority', async (t) => {
    const agree = (received: string): string | null =>
      received.startsWith('CONNECT') ? 'HTTP/1.1 200 OK\r\n\r\n' : received.toUpperCase();
    const { client, seen } = await startChain(t, agree, { routes: [toConnect()] });
    client.write(`${connect}early`);
    await client.until((text) => text.endsWith('\r\n\r\nEARLY'));
    assert.match(seen(), /^CONNECT db:5432 HTTP\/1\.1\r\nhost: db:5432\r\n/);
    assert.doesNotMatch(seen(), /other/);
  });

  test('that no route takes is answered with 404', async (t) => {
    const { client, proxy, seen } = await startChain(t, () => hello, { upgrades: { connect: 'forward' } });
    client.write(connect + get);
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 404 [^]*connection: close\r\n/);
    assert.equal(seen(), '');
    assert.equal(proxy.downstream.routesNotFound.value, 1);
  });

  test('has routes of its own, which nothing else matches', async (t) => {
    const { client, seen } = await startChain(t, () => hello, { routes: [toConnect({})] });
    client.write(get);
    await client.until((text) => text.startsWith('HTTP/1.1 404 '));
    assert.equal(seen(), '');
  });

  test('that its route does not enable is answered with 403', async (t) => {
    const route = toBackend({}, { pathSpecifier: { $case: 'connectMatcher', value: {} } });
    const { client, seen } = await startChain(t, () => hello, { routes: [route] });
    client.write(connect);
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 403 /);
    assert.equal(seen(), '');
  });

  test('with a length is refused', async (t) => {
    const { client, proxy, seen } = await startChain(t, () => hello, { routes: [toConnect({})] });
    client.write(connect.replace('\r\n\r\n', '\r\nContent-Length: 3\r\n\r\nabc'));
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 400 /);
    assert.equal(seen(), '');
    assert.equal(proxy.finished[0]?.details, 'http1.body_disallowed');
  });

  test('says why its upstream cannot be reached', async (t) => {
    const { client, proxy } = await startChain(t, () => null, { routes: [toConnect({})], ports: [1] });
    client.write(connect);
    assert.match(await client.untilEnd(), /^HTTP\/1\.1 503 /);
    assert.equal(proxy.finished[0]?.flags, 'UF');
    assert.equal(proxy.downstream.upgradesActive.value, 0);
  });
});
