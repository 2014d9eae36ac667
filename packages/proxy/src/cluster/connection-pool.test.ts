import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimerWheel } from '@heddle/base';
import { MetricRegistry } from '@heddle/telemetry';
import { InMemoryNetwork, SeededRandom, VirtualClock } from '@heddle/testkit';
import {
  type ClientStream,
  ResponseKind,
  type UpstreamExchange,
  type UpstreamFailure,
} from '../codec/client-stream.ts';
import type {
  Connection,
  ConnectionHandler,
  ConnectionSource,
  Transport,
  TransportError,
} from '../transport/transport.ts';
import { CircuitBreaker, type CircuitBreakerLimits, defaultCircuitBreakerLimits } from './circuit-breaker.ts';
import { ClusterMetrics } from './cluster-metrics.ts';
import type { Caller } from './caller.ts';
import { type ConnectionLimits, ConnectionPool, type ConnectionWaiter } from './connection-pool.ts';
import { Endpoint } from './endpoint.ts';
import { ClientConnection, defaultClientSettings } from '../http1/client-connection.ts';
import { defaultHttp2Options } from '../http2/http2-options.ts';
import { testContext } from '../http2/test-servers.ts';
import { requestFromText } from '../http1/message-from-text.ts';

/** A handler that writes down what it is told. */
class Recorder implements ConnectionHandler {
  readonly events: string[] = [];
  onConnect(): void {
    this.events.push('connect');
  }
  onData(buffer: Buffer, start: number, end: number): void {
    this.events.push(`data ${buffer.toString('latin1', start, end)}`);
  }
  onEnd(): void {
    this.events.push('end');
  }
  onDrain(): void {
    this.events.push('drain');
  }
  onClose(error: TransportError | null): void {
    this.events.push(`close ${error?.kind ?? ''}`);
  }
}

const defaultConnectionLimits: ConnectionLimits = {
  connectTimeoutMs: 1000,
  keepAliveMs: null,
  idleTimeoutMs: 3_600_000,
  maxDurationMs: 0,
  protocol: 'http1',
  responses: defaultClientSettings,
  http2: defaultHttp2Options,
  maxRequests: 0,
};

const response = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';

/** Asks for a connection, sends one request on it and remembers what became of it. */
class Request implements ConnectionWaiter, UpstreamExchange {
  outcome = 'waiting';
  readonly wantsUpgrade = false;
  connection: ClientConnection | null = null;
  onConnection(stream: ClientStream): void {
    assert.ok(stream instanceof ClientConnection);
    this.outcome = 'sent';
    this.connection = stream;
    stream.sendHead(this, requestFromText('GET / HTTP/1.1\r\nhost: a\r\n\r\n'), ResponseKind.usual);
    stream.endRequest();
  }
  onConnectFailed(error: TransportError): void {
    this.outcome = error.kind;
  }
  onOverflow(): void {
    this.outcome = 'overflow';
  }
  onResponseHead(): void {}
  onInterimResponse(): void {}
  onUpgraded(): void {}
  onResponseTrailers(): void {}
  onResponseBody(): void {}
  onResponsePause(): void {}
  onRequestDrain(): void {}
  onResponseEnd(): void {
    this.outcome = 'answered';
  }
  onUpstreamFailed(failure: UpstreamFailure): void {
    this.outcome = failure.kind;
  }
}

function ask(pool: ConnectionPool): Request {
  const request = new Request();
  pool.acquire(request);
  return request;
}

/** A caller whose requests are to come from its own address. */
function callerFrom(upstreamSource: ConnectionSource): Caller {
  return { upstreamSource, remoteAddress: '', remotePort: 0, localAddress: '', localPort: 0 };
}

async function setUp(
  limits: Partial<CircuitBreakerLimits> = {},
  connections: Partial<ConnectionLimits> = {},
) {
  const clock = new VirtualClock();
  const network = new InMemoryNetwork({ clock, seed: 1, splitReads: false });
  const client = network.addNode({ name: 'client', addresses: ['10.0.0.1'] });
  const server = network.addNode({ name: 'server', addresses: ['10.0.0.2'] });
  const accepted: Connection[] = [];
  await server.listen({ address: { host: '10.0.0.2', port: 80 }, security: null }, (connection) => {
    accepted.push(connection);
    return new Recorder();
  });
  const answer = (index: number, text = response): void => {
    accepted[index]!.writeLatin1(text);
    clock.advance(10);
  };
  const sources: string[] = [];
  const transport: Transport = {
    ownAddress: client.ownAddress,
    listen: (options, accept) => client.listen(options, accept),
    secure: (...parameters) => client.secure(...parameters),
    connect: (options, handler) => {
      sources.push(options.source?.host ?? '');
      return client.connect(options, handler);
    },
  };
  const metrics = new ClusterMetrics(new MetricRegistry(), 'c');
  const breaker = new CircuitBreaker(
    { ...defaultCircuitBreakerLimits, ...limits },
    metrics.circuitBreaker('default', true),
  );
  const timers = new TimerWheel(clock);
  const endpoint = (port: number): Endpoint<ConnectionPool> =>
    new Endpoint(
      '10.0.0.2',
      port,
      1,
      'healthy',
      (self) =>
        new ConnectionPool({
          endpoint: self,
          limits: { ...defaultConnectionLimits, ...connections },
          metrics,
          breaker,
          security: null,
          source: null,
          proxyProtocol: null,
          transport,
          timers,
          clock,
          http2: testContext(clock, new SeededRandom(1)),
        }),
    );
  return {
    clock,
    network,
    accepted,
    sources,
    answer,
    metrics,
    breaker,
    endpoint,
    pool: (port: number) => endpoint(port).pool,
  };
}

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
