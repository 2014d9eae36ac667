import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionSource } from '../transport/transport.ts';
import { Recorder, Request, ask, callerFrom, setUp } from './pool-under-test.ts';

test('a raw connection carries bytes both ways and is counted until it is gone', async () => {
  const { clock, accepted, metrics, breaker, pool } = await setUp();
  const handler = new Recorder();
  const connection = pool(80).connectRaw(handler)!;
  assert.equal(breaker.connections.current, 1);
  clock.advance(10);
  assert.equal(metrics.connectionsActive.value, 1);
  accepted[0]!.writeLatin1('hello');
  clock.advance(10);
  assert.deepEqual(handler.events, ['connect', 'data hello']);
  assert.equal(metrics.bytesReceived.value, 5);
  connection.destroy();
  clock.advance(10);
  assert.deepEqual(handler.events.slice(2), ['close closed']);
  assert.equal(metrics.connectionsTotal.value, 1);
  assert.equal(metrics.connectionsActive.value, 0);
  assert.equal(breaker.connections.current, 0);
});

test('a raw connection that is refused counts as a failure and gives its place back', async () => {
  const { clock, metrics, breaker, pool } = await setUp();
  const handler = new Recorder();
  pool(81).connectRaw(handler);
  clock.advance(10);
  assert.deepEqual(handler.events, ['close connect-failed']);
  assert.equal(metrics.connectFailures.value, 1);
  assert.equal(metrics.connectionsActive.value, 0);
  assert.equal(breaker.connections.current, 0);
});

test('no raw connection is begun above max_connections', async () => {
  const { clock, metrics, pool } = await setUp({ maxConnections: 1 });
  const first = pool(80).connectRaw(new Recorder());
  assert.equal(pool(80).connectRaw(new Recorder()), null);
  assert.equal(metrics.connectionOverflows.value, 1);
  first!.destroy();
  clock.advance(10);
  assert.notEqual(pool(80).connectRaw(new Recorder()), null);
});

test('the connection that became idle last is taken first', async () => {
  const { clock, answer, pool: poolOf } = await setUp();
  const pool = poolOf(80);
  const requests = [ask(pool), ask(pool)];
  clock.advance(10);
  answer(1);
  answer(0);
  const [first, second] = requests.map((request) => request.connection);
  assert.equal(ask(pool).connection, first);
  assert.equal(ask(pool).connection, second);
});

test('requests get connections in the order in which they came, without those that were given up', async () => {
  const { clock, answer, metrics, accepted, pool: poolOf } = await setUp({ maxConnections: 1 });
  const pool = poolOf(80);
  const requests = [ask(pool), ask(pool), ask(pool), ask(pool)];
  clock.advance(10);
  assert.equal(metrics.requestsPending.value, 3);
  pool.cancel(requests[1]!);
  pool.cancel(requests[1]!);
  assert.equal(metrics.requestsCancelled.value, 1);
  const outcomes = (): string[] => requests.map(({ outcome }) => outcome);
  assert.deepEqual(outcomes(), ['sent', 'waiting', 'waiting', 'waiting']);
  answer(0);
  assert.deepEqual(outcomes(), ['answered', 'waiting', 'sent', 'waiting']);
  answer(0);
  assert.deepEqual(outcomes(), ['answered', 'waiting', 'answered', 'sent']);
  assert.equal(accepted.length, 1);
  assert.equal(metrics.requestsPending.value, 0);
  assert.equal(metrics.requestsPendingTotal.value, 4);
});

test('no more requests wait than max_pending_requests, and the gauges say so', async () => {
  const { clock, metrics, pool: poolOf } = await setUp({ maxConnections: 1, maxPendingRequests: 1 });
  const gauges = metrics.circuitBreaker('default', true);
  const pool = poolOf(80);
  ask(pool);
  clock.advance(10);
  assert.equal(gauges.connectionsOpen.value, 1);
  assert.equal(gauges.pendingOpen.value, 0);
  assert.equal(ask(pool).outcome, 'waiting');
  assert.equal(gauges.pendingOpen.value, 1);
  assert.equal(gauges.remainingPending!.value, 0);
  assert.equal(ask(pool).outcome, 'overflow');
  assert.equal(metrics.requestOverflows.value, 1);
  assert.equal(metrics.connectionOverflows.value, 1);
});

test('no more requests are sent than max_requests, though a connection is free', async () => {
  const { clock, answer, metrics, pool: poolOf } = await setUp({ maxRequests: 1 });
  const pool = poolOf(80);
  ask(pool);
  clock.advance(10);
  answer(0);
  const other = ask(poolOf(80));
  clock.advance(10);
  assert.equal(other.outcome, 'sent');
  assert.equal(ask(pool).outcome, 'overflow');
  assert.equal(metrics.requestOverflows.value, 1);
  answer(1);
  assert.equal(ask(pool).outcome, 'sent');
});

test('an endpoint without a connection gets one though the cluster has too many', async () => {
  const { clock, accepted, pool } = await setUp({ maxConnections: 1 });
  ask(pool(80));
  const other = ask(pool(80));
  clock.advance(10);
  assert.equal(other.outcome, 'sent');
  assert.equal(accepted.length, 2);
});

test('an endpoint has no more connections than its own limit', async () => {
  const { clock, answer, accepted, pool: poolOf } = await setUp({ maxConnectionsPerEndpoint: 1 });
  const pool = poolOf(80);
  const requests = [ask(pool), ask(pool)];
  clock.advance(10);
  assert.equal(accepted.length, 1);
  answer(0);
  assert.deepEqual(
    requests.map(({ outcome }) => outcome),
    ['answered', 'sent'],
  );
});

test('a connection that ends makes room for those who wait', async () => {
  const { clock, accepted, pool: poolOf } = await setUp({ maxConnections: 1 });
  const pool = poolOf(80);
  const requests = [ask(pool), ask(pool)];
  clock.advance(10);
  accepted[0]!.destroy();
  clock.advance(10);
  assert.deepEqual(
    requests.map(({ outcome }) => outcome),
    ['connection-termination', 'sent'],
  );
  assert.equal(accepted.length, 2);
});

test('where a connection cannot be made, all who wait for one hear of it', async () => {
  const { clock, metrics, breaker, pool: poolOf } = await setUp();
  const pool = poolOf(81);
  const requests = [ask(pool), ask(pool)];
  clock.advance(10);
  assert.deepEqual(
    requests.map(({ outcome }) => outcome),
    ['connect-failed', 'connect-failed'],
  );
  assert.equal(metrics.pendingFailures.value, 2);
  assert.equal(breaker.connections.current, 0);
  assert.equal(breaker.pendingRequests.current, 0);
});

test('a connection is closed when nobody has used it for the idle timeout', async () => {
  const { clock, answer, metrics, pool: poolOf } = await setUp({}, { idleTimeoutMs: 80_000 });
  const pool = poolOf(80);
  const requests = [ask(pool), ask(pool)];
  clock.advance(10);
  answer(0);
  answer(1);
  // One of them stays in use.
  for (let i = 0; i < 3; i++) {
    clock.advance(32_000);
    const request = ask(pool);
    assert.equal(request.connection, requests[1]!.connection);
    clock.advance(10);
    answer(1);
  }
  assert.equal(metrics.idleTimeouts.value, 1);
  assert.equal(metrics.connectionsActive.value, 1);
  clock.advance(95_000);
  assert.equal(metrics.idleTimeouts.value, 2);
  assert.equal(metrics.connectionsActive.value, 0);
  assert.equal(metrics.destroyedLocally.value, 2);
  assert.equal(clock.pendingTimers, 0);
});

test('a connection that carries a request is not idle', async () => {
  const { clock, answer, metrics, pool: poolOf } = await setUp({}, { idleTimeoutMs: 1000 });
  const request = ask(poolOf(80));
  clock.advance(60_000);
  answer(0);
  assert.equal(request.outcome, 'answered');
  assert.equal(metrics.idleTimeouts.value, 0);
});

test('a connection ends after its last permitted request', async () => {
  const { clock, answer, metrics, accepted, pool: poolOf } = await setUp({}, { maxRequests: 2 });
  const pool = poolOf(80);
  for (let i = 0; i < 3; i++) {
    ask(pool);
    clock.advance(10);
    answer(i === 2 ? 1 : 0);
  }
  assert.equal(accepted.length, 2);
  assert.equal(metrics.maxRequestsReached.value, 1);
});

test('a connection that is too old ends, a busy one after its request', async () => {
  const { clock, answer, metrics, pool: poolOf } = await setUp({}, { maxDurationMs: 5000 });
  const pool = poolOf(80);
  const requests = [ask(pool), ask(pool)];
  clock.advance(10);
  answer(0);
  clock.advance(6000);
  assert.equal(metrics.maxDurationsReached.value, 2);
  assert.equal(metrics.connectionsActive.value, 1);
  answer(1);
  assert.equal(requests[1]!.outcome, 'answered');
  assert.equal(metrics.connectionsActive.value, 0);
});

test('whoever wants a fresh connection gets no other, even where there may be only one', async () => {
  const { clock, answer, accepted, pool: poolOf } = await setUp({ maxConnections: 1 });
  const pool = poolOf(80);
  ask(pool);
  clock.advance(10);
  const fresh = new Request();
  pool.acquireFresh(fresh);
  answer(0);
  clock.advance(10);
  assert.equal(fresh.outcome, 'sent');
  assert.equal(fresh.connection!.requestCount, 1);
  assert.equal(accepted.length, 2);
});

test('whoever wants a fresh connection has those closed that lie idle', async () => {
  const { clock, answer, metrics, pool: poolOf } = await setUp();
  const pool = poolOf(80);
  ask(pool);
  ask(pool);
  clock.advance(10);
  answer(0);
  answer(1);
  pool.acquireFresh(new Request());
  clock.advance(10);
  assert.equal(metrics.destroyedLocally.value, 2);
  assert.equal(metrics.connectionsActive.value, 1);
});

test('who ended a connection, and what was on it, is counted', async () => {
  const { clock, accepted, metrics, pool: poolOf } = await setUp();
  const pool = poolOf(80);
  const mine = ask(pool);
  const theirs = ask(pool);
  clock.advance(10);
  mine.connection!.abandon();
  for (const connection of accepted) connection.destroy();
  clock.advance(10);
  assert.equal(theirs.outcome, 'connection-termination');
  assert.equal(metrics.connectionsDestroyed.value, 2);
  assert.equal(metrics.destroyedLocallyWithRequest.value, 1);
  assert.equal(metrics.destroyedRemotelyWithRequest.value, 1);
  assert.equal(metrics.destroyedWithRequest.value, 2);
  assert.equal(metrics.requestsActive.value, 0);
});

test('an endpoint that has gone makes no connection, and finishes what it has', async () => {
  const { clock, answer, metrics, pool: poolOf } = await setUp();
  const pool = poolOf(80);
  const requests = [ask(pool), ask(pool)];
  clock.advance(10);
  answer(0);
  pool.close();
  clock.advance(10);
  assert.equal(metrics.connectionsActive.value, 1);
  assert.equal(ask(pool).outcome, 'connect-failed');
  answer(1);
  assert.equal(requests[1]!.outcome, 'answered');
  assert.equal(metrics.connectionsActive.value, 0);
});

test('who waited before the endpoint went still gets a connection, be it the next one', async () => {
  const { clock, answer, metrics, accepted, pool: poolOf } = await setUp({ maxConnections: 1 });
  const pool = poolOf(80);
  const requests = [ask(pool), ask(pool), ask(pool)];
  pool.close();
  clock.advance(10);
  assert.equal(requests[0]!.outcome, 'sent');
  answer(0);
  assert.equal(requests[1]!.outcome, 'sent');
  accepted[0]!.destroy();
  clock.advance(10);
  assert.equal(requests[2]!.outcome, 'sent');
  answer(1);
  assert.equal(requests[2]!.outcome, 'answered');
  assert.equal(metrics.connectionsActive.value, 0);
});

test('dropping connections ends raw and busy ones too', async () => {
  const { clock, answer, metrics, pool: poolOf } = await setUp();
  const pool = poolOf(80);
  const request = ask(pool);
  ask(pool);
  clock.advance(10);
  answer(1);
  const raw = new Recorder();
  pool.connectRaw(raw);
  clock.advance(10);
  pool.dropConnections();
  assert.equal(ask(pool).outcome, 'waiting');
  clock.advance(10);
  assert.equal(request.outcome, 'connection-termination');
  assert.deepEqual(raw.events, ['connect', 'close closed']);
  assert.equal(metrics.connectionsActive.value, 1);
  assert.equal(metrics.requestsActive.value, 1);
});

test('a place freed by a raw connection goes to a request that waits', async () => {
  const { clock, pool: poolOf } = await setUp({ maxConnections: 1 });
  const pool = poolOf(80);
  const raw = pool.connectRaw(new Recorder())!;
  clock.advance(10);
  const request = ask(pool);
  raw.destroy();
  clock.advance(10);
  assert.equal(request.outcome, 'sent');
});

test('keeps connections from one caller’s address for that caller, and ends a pool with its last connection', async () => {
  const { pool: poolAt, accepted, answer, sources, clock } = await setUp();
  const pool = poolAt(80);
  const source = (host: string): ConnectionSource => ({ host, isTransparent: true, mark: 7 });
  const first = ask(pool.forDownstream(callerFrom(source('10.9.0.1'))));
  const second = ask(pool.forDownstream(callerFrom(source('10.9.0.2'))));
  clock.advance(10);
  answer(0);
  answer(1);
  assert.deepEqual([first.outcome, second.outcome], ['answered', 'answered']);
  // Each caller's own connection is idle now, and only its own serves it; others get none of them.
  ask(pool.forDownstream(callerFrom(source('10.9.0.1'))));
  ask(pool);
  clock.advance(10);
  assert.deepEqual(sources, ['10.9.0.1', '10.9.0.2', '']);
  const before = pool.forDownstream(callerFrom(source('10.9.0.2')));
  assert.equal(pool.forDownstream(callerFrom(source('10.9.0.2'))), before);
  for (const connection of accepted) connection.destroy();
  clock.advance(10);
  assert.notEqual(pool.forDownstream(callerFrom(source('10.9.0.2'))), before);
});

test('closes what callers’ connections are idle when the endpoint goes', async () => {
  const { pool: poolAt, answer, clock, metrics } = await setUp();
  const pool = poolAt(80);
  const source: ConnectionSource = { host: '10.9.0.1', isTransparent: true, mark: 7 };
  ask(pool.forDownstream(callerFrom(source)));
  clock.advance(10);
  answer(0);
  assert.equal(metrics.connectionsActive.value, 1);
  pool.close();
  clock.advance(10);
  assert.equal(metrics.connectionsActive.value, 0);
  assert.equal(ask(pool.forDownstream(callerFrom(source))).outcome, 'connect-failed');
});

test('drops what callers’ connections are busy though the endpoint has gone', async () => {
  const { pool: poolAt, clock, metrics } = await setUp();
  const pool = poolAt(80);
  ask(pool.forDownstream(callerFrom({ host: '10.9.0.1', isTransparent: true, mark: 7 })));
  clock.advance(10);
  pool.close();
  clock.advance(10);
  assert.equal(metrics.connectionsActive.value, 1);
  pool.dropConnections();
  clock.advance(10);
  assert.equal(metrics.connectionsActive.value, 0);
});
