import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ErrorCode } from '../http2/error-code.ts';
import { FrameFlag, FrameType } from '../http2/frame.ts';
import { defaultHttp2Options } from '../http2/http2-options.ts';
import { frame, headers, rstStream, settings, settingsAck, uint32 } from '../http2/test-peer.ts';
import type { CircuitBreakerLimits } from './circuit-breaker.ts';
import type { ConnectionLimits } from './connection-pool.ts';
import { Peer } from './http2-peer-under-test.ts';
import { Request, ask, setUp } from './pool-under-test.ts';

const maxStreams = 3;

const answer = (...ids: readonly number[]): Buffer =>
  Buffer.concat(ids.map((id) => headers(id, [[':status', '200']], FrameFlag.endStream)));
const goaway = (last: number): Buffer => frame(FrameType.goaway, 0, 0, uint32(last, ErrorCode.noError));

/** A pool of connections of HTTP/2, whose peers say `said` when they are connected to. */
async function world(
  connections: Partial<ConnectionLimits> = {},
  limits: Partial<CircuitBreakerLimits> = {},
  said: readonly (readonly [number, number])[] = [],
) {
  const peers: Peer[] = [];
  const set = await setUp(limits, { protocol: 'http2', ...connections }, (connection) => {
    const peer = new Peer(connection);
    peers.push(peer);
    peer.send(settings(...said), settingsAck);
    return peer;
  });
  const pool = set.pool(80);
  return {
    ...set,
    pool,
    peers,
    /** Asks for this many streams, and lets the network carry what there is. */
    ask: (count: number) => {
      const requests = Array.from({ length: count }, () => ask(pool));
      set.clock.advance(10);
      return requests;
    },
    send: (peer: number, ...frames: readonly Buffer[]) => {
      peers[peer]!.send(...frames);
      set.clock.advance(10);
    },
  };
}

const outcomes = (requests: readonly { readonly outcome: string }[]): string[] =>
  requests.map(({ outcome }) => outcome);

describe('a pool of connections of HTTP/2', () => {
  test('sends many requests at once over one connection, and hands back what they held', async () => {
    const { ask: asks, send, peers, metrics, breaker } = await world();
    const requests = asks(50);
    assert.equal(peers.length, 1);
    assert.equal(peers[0]!.streams.length, 50);
    assert.equal(metrics.requestsActive.value, 50);
    assert.equal(metrics.http2ConnectionsTotal.value, 1);
    assert.equal(metrics.http1ConnectionsTotal.value, 0);
    assert.equal(metrics.requestsPendingTotal.value, 50);
    asks(1);
    assert.equal(metrics.requestsPendingTotal.value, 50, 'a connection with room is taken at once');
    send(0, answer(...peers[0]!.streams));
    assert.deepEqual(new Set(outcomes(requests)), new Set(['answered']));
    assert.equal(metrics.requestsActive.value, 0);
    assert.equal(breaker.requests.current, 0);
    assert.equal(metrics.connectionsActive.value, 1);
  });

  test('makes another connection where all are full, and prefers the one that has room last', async () => {
    const { ask: asks, send, peers } = await world({}, {}, [[3, maxStreams]]);
    asks(maxStreams);
    asks(2);
    assert.deepEqual(
      peers.map(({ streams }) => streams.length),
      [maxStreams, 2],
    );
    send(0, answer(1));
    asks(2);
    assert.deepEqual(
      peers.map(({ streams }) => streams.length),
      [maxStreams + 1, maxStreams],
    );
  });

  test('makes as many connections as requests are expected to need', async () => {
    const http2 = { ...defaultHttp2Options, maxConcurrentStreams: maxStreams };
    const { ask: asks, peers } = await world({ http2 });
    asks(2 * maxStreams + 1);
    const streams = peers.map((peer) => peer.streams.length);
    assert.deepEqual(
      streams.toSorted((a, b) => a - b),
      [1, maxStreams, maxStreams],
    );
  });

  test('has those wait that are over what the peer takes, until a stream ends', async () => {
    const { ask: asks, send, peers, metrics } = await world({}, { maxConnections: 1 }, [[3, maxStreams]]);
    asks(1);
    const requests = asks(maxStreams);
    assert.deepEqual(outcomes(requests), ['sent', 'sent', 'waiting']);
    assert.equal(metrics.requestsPending.value, 1);
    assert.ok(metrics.connectionOverflows.value > 0);
    send(0, answer(1));
    assert.equal(requests[2]!.outcome, 'sent');
    assert.equal(peers.length, 1);
  });

  test('sends no more than max_requests at once, and no more wait than max_pending_requests', async () => {
    const { ask: asks, metrics } = await world({}, { maxRequests: 2, maxPendingRequests: 3 });
    const requests = asks(4);
    assert.deepEqual(outcomes(requests), ['sent', 'sent', 'overflow', 'overflow']);
    assert.equal(metrics.requestOverflows.value, 2);
    assert.equal(metrics.requestsPendingTotal.value, 3);
  });

  test('drains a connection after its last permitted request, and makes another', async () => {
    const { ask: asks, send, peers, metrics } = await world({ maxRequests: 2 });
    const requests = asks(3);
    assert.deepEqual(
      peers.map(({ streams }) => streams.length),
      [2, 1],
    );
    assert.equal(metrics.maxRequestsReached.value, 1);
    send(0, answer(1));
    assert.equal(peers[0]!.isClosed, false, 'the other stream goes on');
    send(0, answer(3));
    assert.equal(peers[0]!.isClosed, true);
    assert.deepEqual(outcomes(requests), ['answered', 'answered', 'sent']);
    assert.equal(metrics.destroyedLocally.value, 1);
  });

  test('drains a connection that is too old', async () => {
    const { ask: asks, send, peers, metrics, clock } = await world({ maxDurationMs: 5000 });
    const [first] = asks(1);
    clock.advance(6000);
    assert.equal(metrics.maxDurationsReached.value, 1);
    asks(1);
    assert.equal(peers.length, 2);
    assert.equal(first!.outcome, 'sent');
    send(0, answer(1));
    assert.equal(first!.outcome, 'answered');
    assert.equal(peers[0]!.isClosed, true);
  });

  test('closes a connection that nobody has used for the idle timeout, not one that is busy', async () => {
    const { ask: asks, send, peers, metrics, clock } = await world({ idleTimeoutMs: 80_000 });
    asks(2);
    send(0, answer(1));
    clock.advance(200_000);
    assert.equal(metrics.idleTimeouts.value, 0);
    send(0, answer(3));
    clock.advance(95_000);
    assert.equal(metrics.idleTimeouts.value, 1);
    assert.equal(peers[0]!.isClosed, true);
    assert.equal(metrics.connectionsActive.value, 0);
    assert.equal(clock.pendingTimers, 0);
  });

  test('gives no more to a connection that has said GOAWAY, and lets what it has taken end', async () => {
    const { ask: asks, send, peers, metrics } = await world();
    const requests = asks(3);
    send(0, goaway(3));
    assert.deepEqual(outcomes(requests), ['sent', 'sent', 'refused']);
    asks(1);
    assert.equal(peers.length, 2);
    send(0, answer(1, 3));
    assert.deepEqual(outcomes(requests), ['answered', 'answered', 'refused']);
    assert.equal(peers[0]!.isClosed, true);
    assert.equal(metrics.closeNotifications.value, 1);
    assert.equal(metrics.destroyedWithRequest.value, 0);
  });

  test('learns from refusals how much a peer takes, until it takes more', async () => {
    const { ask: asks, send, peers } = await world();
    asks(1);
    const requests = asks(3);
    send(0, rstStream(7, ErrorCode.refusedStream), rstStream(5, ErrorCode.refusedStream));
    assert.deepEqual(outcomes(requests), ['sent', 'refused', 'refused']);
    asks(1);
    assert.deepEqual(
      peers.map(({ streams }) => streams.length),
      [4, 1],
    );
    send(0, answer(1));
    asks(2);
    assert.deepEqual(
      peers.map(({ streams }) => streams.length),
      [6, 1],
    );
  });

  test('leaves a connection that refuses everything', async () => {
    const { ask: asks, send, peers } = await world();
    asks(1);
    send(0, rstStream(1, ErrorCode.refusedStream));
    assert.equal(peers[0]!.isClosed, true);
    asks(1);
    assert.equal(peers.length, 2);
  });

  test('counts streams that either side cuts off, and those lost with their connection', async () => {
    const { ask: asks, send, peers, metrics, clock } = await world();
    const requests = asks(4);
    send(0, rstStream(1, ErrorCode.internalError));
    requests[1]!.stream!.abandon();
    clock.advance(10);
    assert.deepEqual(peers[0]!.heard('RST_STREAM'), ['RST_STREAM 3 CANCEL']);
    assert.deepEqual([metrics.resetsByUpstream.value, metrics.resetsByProxy.value], [1, 1]);
    assert.equal(metrics.connectionsActive.value, 1);
    peers[0]!.close();
    clock.advance(10);
    assert.deepEqual(outcomes(requests), [
      'remote-reset',
      'sent',
      'connection-termination',
      'connection-termination',
    ]);
    assert.equal(metrics.pendingFailures.value, 2);
    assert.equal(metrics.destroyedRemotelyWithRequest.value, 1);
    assert.equal(metrics.requestsActive.value, 0);
  });

  test('ends a connection that breaks the protocol, and says whose fault it is', async () => {
    const { ask: asks, send, metrics } = await world();
    const requests = asks(1);
    send(0, frame(FrameType.data, 0, 0, Buffer.from('x')));
    assert.deepEqual(outcomes(requests), ['protocol-error']);
    assert.equal(metrics.protocolErrors.value, 1);
    assert.equal(metrics.destroyedLocallyWithRequest.value, 1);
  });

  test('drops a connection whose peer does not answer PING', async () => {
    const {
      ask: asks,
      metrics,
      clock,
      peers,
    } = await world({
      http2: { ...defaultHttp2Options, keepaliveIntervalMs: 1000, keepaliveTimeoutMs: 500 },
    });
    const requests = asks(1);
    clock.advance(2000);
    assert.equal(peers[0]!.heard('PING').length, 1);
    assert.deepEqual(outcomes(requests), ['connection-termination']);
    assert.equal(metrics.http2.keepaliveTimeouts.value, 1);
    assert.equal(metrics.protocolErrors.value, 0);
  });

  test('closes idle connections with its endpoint, busy ones when they have become idle', async () => {
    const { ask: asks, send, pool, peers, clock } = await world();
    const requests = asks(2);
    pool.close();
    send(0, answer(1));
    assert.equal(peers[0]!.isClosed, false);
    send(0, answer(3));
    assert.equal(peers[0]!.isClosed, true);
    assert.deepEqual(outcomes(requests), ['answered', 'answered']);
    const late = ask(pool);
    clock.advance(10);
    assert.equal(late.outcome, 'connect-failed');
  });

  test('gives no upgrade to a connection whose peer takes none', async () => {
    const { ask: asks, pool, clock } = await world();
    asks(1);
    const upgrade = new Request();
    upgrade.wantsUpgrade = true;
    pool.acquire(upgrade);
    clock.advance(10);
    assert.equal(upgrade.outcome, 'connect-failed');
  });
});

describe('a pool whose cluster speaks what its clients do', () => {
  test('keeps connections of either protocol apart', async () => {
    const { pool, clock, peers, metrics } = await world({ protocol: 'downstream' });
    const caller = { upstreamSource: null, remoteAddress: '', remotePort: 0, localAddress: '', localPort: 0 };
    const overHttp2 = pool.forDownstream(caller, true);
    assert.equal(pool.forDownstream(caller), pool);
    assert.equal(pool.forDownstream(caller, true), overHttp2);
    ask(overHttp2);
    ask(overHttp2);
    clock.advance(10);
    assert.equal(peers.length, 1);
    assert.deepEqual(peers[0]!.streams, [1, 3]);
    ask(pool);
    clock.advance(10);
    assert.equal(peers.length, 2);
    assert.deepEqual([metrics.http1ConnectionsTotal.value, metrics.http2ConnectionsTotal.value], [1, 1]);
    pool.dropConnections();
    clock.advance(10);
    assert.equal(metrics.connectionsActive.value, 0);
  });
});
