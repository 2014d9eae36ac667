import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricRegistry } from '@heddle/telemetry';
import { InMemoryNetwork, VirtualClock } from '@heddle/testkit';
import type { Connection, ConnectionHandler, TransportError } from '../transport/transport.ts';
import { CircuitBreaker, defaultCircuitBreakerLimits } from './circuit-breaker.ts';
import { ClusterMetrics } from './cluster-metrics.ts';
import { ConnectionPool } from './connection-pool.ts';

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

async function setUp(limits: Partial<typeof defaultCircuitBreakerLimits> = {}) {
  const clock = new VirtualClock();
  const network = new InMemoryNetwork({ clock, seed: 1, splitReads: false });
  const client = network.addNode({ name: 'client', addresses: ['10.0.0.1'] });
  const server = network.addNode({ name: 'server', addresses: ['10.0.0.2'] });
  const accepted: Connection[] = [];
  await server.listen({ address: { host: '10.0.0.2', port: 80 }, security: null }, (connection) => {
    accepted.push(connection);
    return new Recorder();
  });
  const metrics = new ClusterMetrics(new MetricRegistry(), 'c');
  const breaker = new CircuitBreaker({ ...defaultCircuitBreakerLimits, ...limits });
  const pool = (port: number): ConnectionPool =>
    new ConnectionPool({
      transport: client,
      address: { host: '10.0.0.2', port },
      security: null,
      connectTimeoutMs: 1000,
      metrics,
      breaker,
    });
  return { clock, network, accepted, metrics, breaker, pool };
}

test('a raw connection carries bytes both ways and is counted until it is gone', async () => {
  const { clock, accepted, metrics, breaker, pool } = await setUp();
  const handler = new Recorder();
  const connection = pool(80).connectRaw(handler)!;
  assert.equal(breaker.connections, 1);
  clock.runUntilIdle();
  assert.equal(metrics.connectionsActive.value, 1);
  accepted[0]!.writeLatin1('hello');
  clock.runUntilIdle();
  assert.deepEqual(handler.events, ['connect', 'data hello']);
  assert.equal(metrics.bytesReceived.value, 5);
  connection.destroy();
  clock.runUntilIdle();
  assert.deepEqual(handler.events.slice(2), ['close closed']);
  assert.equal(metrics.connectionsTotal.value, 1);
  assert.equal(metrics.connectionsActive.value, 0);
  assert.equal(breaker.connections, 0);
});

test('a raw connection that is refused counts as a failure and gives its place back', async () => {
  const { clock, metrics, breaker, pool } = await setUp();
  const handler = new Recorder();
  pool(81).connectRaw(handler);
  clock.runUntilIdle();
  assert.deepEqual(handler.events, ['close connect-failed']);
  assert.equal(metrics.connectFailures.value, 1);
  assert.equal(metrics.connectionsActive.value, 0);
  assert.equal(breaker.connections, 0);
});

test('no raw connection is begun above max_connections', async () => {
  const { clock, metrics, pool } = await setUp({ maxConnections: 1 });
  const first = pool(80).connectRaw(new Recorder());
  assert.equal(pool(80).connectRaw(new Recorder()), null);
  assert.equal(metrics.connectionOverflows.value, 1);
  first!.destroy();
  clock.runUntilIdle();
  assert.notEqual(pool(80).connectRaw(new Recorder()), null);
});
