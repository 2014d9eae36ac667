import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, systemRandom } from '@heddle/base';
import { SeededRandom } from '@heddle/testkit';
import { type BalancingConfig, chooseBalancer } from './choose-balancer.ts';
import { Endpoint, type EndpointHealth, type EndpointPool } from './endpoint.ts';
import { spreadLoad } from './priority-load.ts';

const noPool: EndpointPool = { close: () => undefined, dropConnections: () => undefined };
const config: BalancingConfig = { policy: 'round-robin', choiceCount: 2, panicThresholdPercent: 50 };

function endpoint(
  port: number,
  changes: { weight?: number; health?: EndpointHealth; priority?: number; active?: number } = {},
): Endpoint<EndpointPool> {
  const made = new Endpoint('10.0.0.1', port, changes.weight ?? 1, changes.health ?? 'healthy', () => noPool);
  made.priority = changes.priority ?? 0;
  made.activeRequests = changes.active ?? 0;
  return made;
}

/** How often each port is picked. */
function tally(
  endpoints: readonly Endpoint<EndpointPool>[],
  changes: Partial<BalancingConfig> = {},
  random: Random = new SeededRandom('picks'),
  count = 10_000,
): { readonly ports: Readonly<Record<number, number>>; readonly panics: number } {
  const panics = { value: 0 };
  const balancer = chooseBalancer(endpoints, { ...config, ...changes }, 140, random, panics);
  const ports: Record<number, number> = {};
  for (let i = 0; i < count; i++) {
    const port = balancer.pick(random, '', null)?.port ?? 0;
    ports[port] = (ports[port] ?? 0) + 1;
  }
  return { ports, panics: panics.value };
}

/** Draws these numbers, again and again. */
function drawing(...numbers: number[]): Random {
  let next = 0;
  return { uint32: () => numbers[next++ % numbers.length]!, float: () => 0 };
}

test('least request takes the one of two with fewer requests, the first of equals', () => {
  const endpoints = [endpoint(1, { active: 3 }), endpoint(2, { active: 1 }), endpoint(3, { active: 1 })];
  const pick = (...draws: number[]): Readonly<Record<number, number>> =>
    tally(endpoints, { policy: 'least-request' }, drawing(...draws), 1).ports;
  assert.deepEqual(pick(0, 1), { 2: 1 });
  assert.deepEqual(pick(2, 1), { 3: 1 });
  assert.deepEqual(pick(0, 0), { 1: 1 });
});

test('least request looks at as many as it is told', () => {
  const endpoints = [endpoint(1, { active: 3 }), endpoint(2, { active: 2 }), endpoint(3)];
  const { ports } = tally(endpoints, { policy: 'least-request', choiceCount: 3 }, drawing(0, 1, 2), 1);
  assert.deepEqual(ports, { 3: 1 });
});

test('least request gives a heavier endpoint more requests for the same place', () => {
  const endpoints = [endpoint(1, { active: 3, weight: 1 }), endpoint(2, { active: 5, weight: 4 })];
  assert.deepEqual(tally(endpoints, { policy: 'least-request' }, drawing(0, 1), 1).ports, { 2: 1 });
});

test('random takes all endpoints alike', () => {
  const { ports } = tally([endpoint(1, { weight: 9 }), endpoint(2)], { policy: 'random' });
  assert.ok(Math.abs(ports[1]! - 5000) < 300, JSON.stringify(ports));
});

test('nothing is picked where there is nothing', () => {
  for (const policy of ['round-robin', 'least-request', 'random'] as const) {
    assert.deepEqual(tally([], { policy }, systemRandom, 3), { ports: { 0: 3 }, panics: 0 });
  }
});

test('with too few healthy endpoints all are picked, and that is counted', () => {
  const endpoints = [endpoint(1), endpoint(2, { health: 'unhealthy' }), endpoint(3, { health: 'unhealthy' })];
  const panicking = tally(endpoints, {}, systemRandom, 300);
  assert.deepEqual(panicking, { ports: { 1: 100, 2: 100, 3: 100 }, panics: 300 });
  assert.deepEqual(tally(endpoints, { panicThresholdPercent: 0 }, systemRandom, 300), {
    ports: { 1: 300 },
    panics: 0,
  });
});

test('without panic and without a healthy endpoint none is picked', () => {
  const endpoints = [endpoint(1, { health: 'unhealthy' })];
  assert.deepEqual(tally(endpoints, { panicThresholdPercent: 0 }, systemRandom, 2).ports, { 0: 2 });
});

test('the next priority takes what the first one cannot', () => {
  const endpoints = [endpoint(1), endpoint(2, { health: 'unhealthy' }), endpoint(3, { priority: 1 })];
  const { ports, panics } = tally(endpoints);
  // Half of it is healthy: 70 per cent with overprovisioning.
  assert.ok(Math.abs(ports[1]! - 7000) < 300, JSON.stringify(ports));
  assert.ok(Math.abs(ports[3]! - 3000) < 300, JSON.stringify(ports));
  assert.equal(panics, 0);
});

const spreads: readonly [string, [number, number][], number, string][] = [
  [
    'all is well',
    [
      [10, 10],
      [10, 10],
    ],
    50,
    '100 0',
  ],
  [
    'still enough',
    [
      [10, 8],
      [10, 10],
    ],
    50,
    '100 0',
  ],
  [
    'a part goes on',
    [
      [10, 5],
      [10, 10],
    ],
    50,
    '70 30',
  ],
  [
    'the first is down',
    [
      [10, 0],
      [10, 10],
    ],
    50,
    '0 100',
  ],
  [
    'an empty one is passed over',
    [
      [0, 0],
      [10, 10],
    ],
    50,
    '0 100',
  ],
  [
    'both weak: scaled up to 100',
    [
      [10, 2],
      [10, 2],
    ],
    0,
    '50 50',
  ],
  [
    'one of two in panic',
    [
      [10, 2],
      [10, 5],
    ],
    50,
    '29! 71',
  ],
  [
    'all in panic: by number',
    [
      [10, 1],
      [30, 1],
    ],
    50,
    '25! 75!',
  ],
  [
    'nobody is healthy and panic is off',
    [
      [10, 0],
      [10, 0],
    ],
    0,
    '100 0',
  ],
  ['nothing at all', [[0, 0]], 50, '100'],
];
for (const [what, priorities, threshold, expected] of spreads) {
  test(`load over priorities: ${what}`, () => {
    const loads = spreadLoad(
      priorities.map(([total, healthy]) => ({ total, healthy })),
      140,
      threshold,
    );
    assert.equal(loads.map(({ load, isInPanic }) => `${load}${isInPanic ? '!' : ''}`).join(' '), expected);
  });
}
