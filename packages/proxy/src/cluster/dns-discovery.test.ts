import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricRegistry } from '@heddle/telemetry';
import { SeededRandom, VirtualClock } from '@heddle/testkit';
import type { Resolution } from '../dns/name-resolver.ts';
import type { EndpointConfig } from './cluster.ts';
import { ClusterMetrics } from './cluster-metrics.ts';
import { DnsDiscovery, type DnsDiscoveryConfig } from './dns-discovery.ts';

const defaults: DnsDiscoveryConfig = {
  family: 'auto',
  refreshMs: 5000,
  respectsTtl: false,
  failureBaseMs: 5000,
  failureMaxMs: 5000,
  jitterMs: 0,
  isLogical: false,
  waitsForFirst: true,
};

const failed: Resolution = { kind: 'failed', detail: 'nobody knows' };

function found(addresses: readonly string[], ttlMs: number | null = null): Resolution {
  return { kind: 'found', addresses, ttlMs };
}

function target(host: string, changes: Partial<EndpointConfig> = {}): EndpointConfig {
  const endpoint = { host, port: 80, name: host, weight: 1, priority: 0, takesTunnels: true };
  return { ...endpoint, health: 'healthy', ...changes };
}

function setUp(changes: Partial<DnsDiscoveryConfig> = {}) {
  const clock = new VirtualClock();
  const answers = new Map<string, Resolution>();
  const asked: string[] = [];
  const lists: string[] = [];
  let ready = 0;
  const metrics = new ClusterMetrics(new MetricRegistry(), 'c');
  const discovery = new DnsDiscovery({
    config: { ...defaults, ...changes },
    resolver: {
      resolve: async (name, family) => {
        asked.push(`${name} ${family} at ${Math.round(clock.monotonic())}`);
        return answers.get(name) ?? { kind: 'not-found' };
      },
    },
    clock,
    random: new SeededRandom('dns'),
    metrics,
    onEndpoints: (endpoints) =>
      lists.push(endpoints.map(({ host, port, weight }) => `${host}:${port}*${weight}`).join(' ')),
    onReady: () => ready++,
  });
  return { clock, answers, asked, lists, metrics, discovery, readyCount: () => ready };
}

test('endpoints are all addresses of all names, each with its weight', async () => {
  const { clock, answers, lists, metrics, discovery, readyCount } = setUp();
  answers.set('a', found(['10.0.0.2', '10.0.0.1']));
  answers.set('b', found(['10.0.0.3']));
  discovery.setTargets([target('a', { weight: 2 }), target('b', { port: 81 })]);
  assert.equal(discovery.isReady, false);
  await clock.advanceAsync(0);
  assert.equal(lists.at(-1), '10.0.0.1:80*2 10.0.0.2:80*2 10.0.0.3:81*1');
  assert.equal(discovery.isReady, true);
  assert.equal(readyCount(), 1);
  assert.equal(metrics.updateAttempts.value, 2);
  assert.equal(metrics.updateSuccesses.value, 2);
});

test('names are resolved again and again; nothing is told where nothing changed', async () => {
  const { clock, answers, asked, lists, discovery } = setUp();
  answers.set('a', found(['10.0.0.1', '10.0.0.2']));
  discovery.setTargets([target('a')]);
  await clock.advanceAsync(4000);
  answers.set('a', found(['10.0.0.2', '10.0.0.1']));
  await clock.advanceAsync(4000);
  assert.deepEqual(asked, ['a auto at 0', 'a auto at 5000']);
  assert.equal(lists.length, 1);
  answers.set('a', found(['10.0.0.9']));
  await clock.advanceAsync(4000);
  assert.deepEqual(lists.slice(1), ['10.0.0.9:80*1']);
});

test('the records say when, where that is respected, unless they say 0', async () => {
  const { clock, answers, asked, discovery } = setUp({ respectsTtl: true });
  answers.set('a', found(['10.0.0.1'], 1000));
  discovery.setTargets([target('a')]);
  await clock.advanceAsync(1500);
  answers.set('a', found(['10.0.0.1'], 0));
  await clock.advanceAsync(1000);
  await clock.advanceAsync(5000);
  assert.deepEqual(asked, ['a auto at 0', 'a auto at 1000', 'a auto at 2000', 'a auto at 7000']);
});

test('what was known is used while nobody can say, and failures are spaced out', async () => {
  const { clock, answers, asked, lists, metrics, discovery } = setUp({
    failureBaseMs: 1000,
    failureMaxMs: 16_000,
  });
  answers.set('a', found(['10.0.0.1']));
  discovery.setTargets([target('a')]);
  await clock.advanceAsync(1);
  answers.set('a', failed);
  await clock.advanceAsync(120_000);
  assert.deepEqual(lists, ['10.0.0.1:80*1']);
  const times = asked.map((line) => Number(line.split(' at ')[1]));
  const pauses = times.slice(2).map((time, index) => time - times[index + 1]!);
  assert.ok(
    pauses.every((pause) => pause >= 500 && pause <= 16_001),
    String(pauses),
  );
  assert.ok(pauses[0]! <= 1001, String(pauses));
  assert.ok(Math.max(...pauses) > 4000, String(pauses));
  assert.equal(metrics.updateFailures.value, asked.length - 1);
});

test('a name that is gone takes its endpoints with it, but not the address of a logical cluster', async () => {
  for (const isLogical of [false, true]) {
    const { clock, answers, lists, metrics, discovery } = setUp({ isLogical });
    answers.set('a', found(['10.0.0.1', '10.0.0.2']));
    discovery.setTargets([target('a')]);
    // eslint-disable-next-line no-await-in-loop
    await clock.advanceAsync(1);
    answers.delete('a');
    // eslint-disable-next-line no-await-in-loop
    await clock.advanceAsync(5000);
    assert.deepEqual(lists, isLogical ? ['10.0.0.1:80*1'] : ['10.0.0.1:80*1 10.0.0.2:80*1', '']);
    assert.equal(metrics.emptyUpdates.value, 1);
  }
});

test('a first failure makes it ready too: requests are to fail, not to wait for ever', async () => {
  const { clock, answers, discovery, readyCount } = setUp();
  answers.set('a', failed);
  discovery.setTargets([target('a')]);
  await clock.advanceAsync(1);
  assert.equal(discovery.isReady, true);
  assert.equal(readyCount(), 1);
});

test('nobody waits where the configuration says so', () => {
  const { discovery } = setUp({ waitsForFirst: false });
  discovery.setTargets([target('a')]);
  assert.equal(discovery.isReady, true);
});

test('jitter is added', async () => {
  const { clock, answers, asked, discovery } = setUp({ jitterMs: 1000 });
  answers.set('a', found(['10.0.0.1']));
  discovery.setTargets([target('a')]);
  await clock.advanceAsync(60_000);
  const times = asked.map((line) => Number(line.split(' at ')[1]));
  const pauses = new Set(times.slice(1).map((time, index) => time - times[index]!));
  assert.ok(
    pauses.size > 5 && Math.min(...pauses) >= 5000 && Math.max(...pauses) <= 6001,
    String([...pauses]),
  );
});

test('names that stay keep their addresses when the list changes; those that go are asked for no more', async () => {
  const { clock, answers, asked, lists, discovery } = setUp();
  answers.set('a', found(['10.0.0.1']));
  answers.set('b', found(['10.0.0.2']));
  discovery.setTargets([target('a'), target('b')]);
  await clock.advanceAsync(1);
  answers.set('a', failed);
  asked.length = 0;
  discovery.setTargets([target('a', { weight: 3 })]);
  await clock.advanceAsync(5000);
  assert.equal(lists.at(-1), '10.0.0.1:80*3');
  assert.ok(asked.every((line) => line.startsWith('a ')));
  // One that is being asked for when it goes.
  discovery.setTargets([target('a'), target('b')]);
  discovery.setTargets([target('a')]);
  asked.length = 0;
  await clock.advanceAsync(20_000);
  assert.ok(asked.every((line) => line.startsWith('a ')));
});

test('closing ends it', async () => {
  const { clock, answers, lists, discovery } = setUp();
  answers.set('a', found(['10.0.0.1']));
  discovery.setTargets([target('a')]);
  discovery.close();
  await clock.advanceAsync(60_000);
  assert.deepEqual(lists, []);
  assert.equal(clock.pendingTimers, 0);
});
