import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FrameFlag } from '../http2/frame.ts';
import { headers, settings, settingsAck } from '../http2/test-peer.ts';
import { Peer } from './http2-peer-under-test.ts';
import { Recorder, Request, ask, callerFrom, setUp } from './pool-under-test.ts';

/** A pool whose connections speak what TLS agrees on; the server knows `knows` at the moment. */
async function world(knows: { alpn: readonly string[] }, hello = settings()) {
  const peers: Peer[] = [];
  const set = await setUp(
    {},
    { protocol: 'auto' },
    (connection) => {
      if (connection.tls!.alpn !== 'h2') return new Recorder();
      const peer = new Peer(connection);
      peers.push(peer);
      peer.send(hello, settingsAck);
      return peer;
    },
    () => knows.alpn,
  );
  const pool = set.pool(80);
  const asks = (count: number) => {
    const requests = Array.from({ length: count }, () => ask(pool));
    set.clock.advance(50);
    return requests;
  };
  return { ...set, pool, peers, asks };
}

/** A caller whose own pool has two connections: one of HTTP/2, and one of HTTP/1.1 for an upgrade. */
async function withCaller() {
  const set = await world({ alpn: ['h2', 'http/1.1'] });
  const caller = callerFrom({ host: '10.9.0.1', isTransparent: true, mark: 7 });
  const own = set.pool.forDownstream(caller);
  ask(own);
  set.clock.advance(50);
  const upgrade = new Request();
  upgrade.wantsUpgrade = true;
  own.acquire(upgrade);
  set.clock.advance(50);
  assert.ok(upgrade.connection !== null, 'it is sent over HTTP/1.1');
  return { ...set, isOther: () => set.pool.forDownstream(caller) !== own };
}

describe('a pool whose connections speak what TLS agrees on', () => {
  test('shares one connection where that is HTTP/2, from the first request on', async () => {
    const { asks, peers, metrics } = await world({ alpn: ['h2', 'http/1.1'] });
    asks(5);
    asks(5);
    assert.equal(peers.length, 1);
    assert.equal(peers[0]!.streams.length, 10);
    assert.deepEqual([metrics.http1ConnectionsTotal.value, metrics.http2ConnectionsTotal.value], [0, 1]);
  });

  test('makes one connection for each request where that is HTTP/1.1', async () => {
    const { asks, accepted, metrics } = await world({ alpn: ['http/1.1'] });
    const requests = asks(3);
    assert.deepEqual(
      requests.map(({ outcome }) => outcome),
      ['sent', 'sent', 'sent'],
    );
    assert.equal(accepted.length, 3);
    assert.deepEqual([metrics.http1ConnectionsTotal.value, metrics.http2ConnectionsTotal.value], [3, 0]);
  });

  test('takes a server that knows no protocol by name for one of HTTP/1.1', async () => {
    const { asks, metrics } = await world({ alpn: [] });
    asks(1);
    assert.equal(metrics.http1ConnectionsTotal.value, 1);
  });

  test('goes by what each connection agrees on, whatever the last one did', async () => {
    const knows = { alpn: ['h2'] };
    const { asks, peers, accepted, clock, metrics } = await world(knows);
    asks(2);
    peers[0]!.send(headers(1, [[':status', '200']], FrameFlag.endStream));
    peers[0]!.close();
    clock.advance(10);
    knows.alpn = ['http/1.1'];
    asks(2);
    assert.equal(accepted.length, 3);
    assert.equal(metrics.http1ConnectionsTotal.value, 2);
    for (const connection of accepted) connection.destroy();
    clock.advance(10);
    knows.alpn = ['h2'];
    asks(1);
    asks(4);
    assert.equal(accepted.length, 4);
    assert.equal(peers[1]!.streams.length, 5);
  });

  test('makes connections of HTTP/1.1 for upgrades that a peer of HTTP/2 does not take', async () => {
    const { pool, peers, accepted, clock, asks, metrics } = await world({ alpn: ['h2', 'http/1.1'] });
    asks(1);
    const upgrade = new Request();
    upgrade.wantsUpgrade = true;
    pool.acquire(upgrade);
    clock.advance(50);
    assert.equal(upgrade.outcome, 'sent');
    assert.ok(upgrade.connection !== null, 'it is sent over HTTP/1.1');
    assert.equal(peers[0]!.streams.length, 1);
    asks(3);
    assert.equal(peers[0]!.streams.length, 4);
    assert.equal(accepted.length, 2);
    assert.deepEqual([metrics.http1ConnectionsTotal.value, metrics.http2ConnectionsTotal.value], [1, 1]);
    // The connections of both are the endpoint's.
    pool.close();
    pool.dropConnections();
    clock.advance(50);
    assert.equal(metrics.connectionsActive.value, 0);
  });

  test('makes them for an upgrade with a body, whatever the peer takes', async () => {
    const { pool, peers, clock } = await world({ alpn: ['h2', 'http/1.1'] }, settings([8, 1]));
    const [plain, withBody] = [new Request(), new Request()];
    plain.wantsUpgrade = true;
    withBody.wantsUpgrade = true;
    withBody.hasUpgradeBody = true;
    for (const request of [plain, withBody]) pool.acquire(request);
    clock.advance(50);
    assert.equal(peers[0]!.streams.length, 1);
    assert.ok(withBody.connection !== null, 'it is sent over HTTP/1.1');
  });

  test('reaches them below a caller’s pool that has none of its own any more', async () => {
    const { pool, peers, accepted, answer, clock, metrics, isOther } = await withCaller();
    peers[0]!.close();
    clock.advance(10);
    assert.equal(metrics.connectionsActive.value, 1);
    assert.equal(isOther(), false, 'what is below it is its own');
    answer(1);
    pool.close();
    clock.advance(50);
    assert.equal(metrics.connectionsActive.value, 0);
    assert.equal(accepted.length, 2);
  });

  test('are forgotten with a caller’s pool once there are none', async () => {
    const { peers, accepted, clock, isOther } = await withCaller();
    peers[0]!.close();
    accepted[1]!.destroy();
    clock.advance(10);
    assert.equal(isOther(), true);
  });

  test('takes back an upgrade that waits for one', async () => {
    const { pool, clock, metrics, asks } = await world({ alpn: ['h2', 'http/1.1'] });
    asks(1);
    const upgrade = new Request();
    upgrade.wantsUpgrade = true;
    pool.acquire(upgrade);
    pool.cancel(upgrade);
    clock.advance(50);
    assert.equal(upgrade.outcome, 'waiting');
    assert.equal(metrics.requestsPending.value, 0);
    assert.equal(metrics.requestsCancelled.value, 1);
  });
});
