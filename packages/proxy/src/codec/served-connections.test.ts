import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimerWheel } from '@heddle/base';
import { MetricRegistry } from '@heddle/telemetry';
import { InMemoryNetwork, RecordingHandler, SeededRandom, VirtualClock } from '@heddle/testkit';
import { ConnectionManagerMetrics } from '../stats/connection-manager-metrics.ts';
import { defaultServerSettings } from '../http1/server-settings.ts';
import { FieldList } from './field-list.ts';
import { http1Acceptor } from '../http1/http1-acceptor.ts';
import { ServedConnections } from './served-connections.ts';

/** Connections that never time out, and how to make one more. */
async function listening(): Promise<{
  clock: VirtualClock;
  connections: ServedConnections;
  connect: () => RecordingHandler;
}> {
  const clock = new VirtualClock();
  const network = new InMemoryNetwork({ clock, seed: 1 });
  const node = network.addNode({ name: 'node', addresses: ['10.0.0.1'] });
  const timers = new TimerWheel(clock);
  const metrics = new ConnectionManagerMetrics(new MetricRegistry().scope(), 'test', null);
  const connections = new ServedConnections({ clock, timers });
  const accept = http1Acceptor(
    connections,
    {
      take: () => ({
        onRequestHead: () => undefined,
        onRequestBody: () => undefined,
        onRequestTrailers: () => undefined,
        onRequestEnd: () => undefined,
        onResponseDrain: () => undefined,
        onClientGone: () => undefined,
        ownReplyFields: () => new FieldList(),
        onRejected: () => undefined,
      }),
      giveBack: () => undefined,
    },
    { clock, random: new SeededRandom(1), timers },
    () => ({ ...defaultServerSettings, idleTimeoutMs: 0, metrics }),
  );
  const address = { host: '127.0.0.1', port: 80 };
  await node.listen({ address, security: null }, accept);
  const connect = (): RecordingHandler => {
    const handler = new RecordingHandler();
    node.connect({ address, security: null, timeoutMs: 1000 }, handler);
    return handler;
  };
  return { clock, connections, connect };
}

test('tells everybody who waits that the last connection is gone', async () => {
  const { clock, connections, connect } = await listening();
  connect();
  await clock.advanceAsync(10);
  assert.equal(connections.size, 1);
  const told: string[] = [];
  void connections.whenEmpty().then(() => told.push('first'));
  void connections.whenEmpty().then(() => told.push('second'));
  connections.destroy();
  await clock.advanceAsync(10);
  assert.deepEqual(told, ['first', 'second']);
});

test('one that comes while the others are closed ends after a minute of silence', async () => {
  const { clock, connections, connect } = await listening();
  connections.drain();
  const late = connect();
  await clock.advanceAsync(59_000);
  assert.equal(late.ends, 0);
  await clock.advanceAsync(2_000);
  assert.equal(late.ends, 1);
});
