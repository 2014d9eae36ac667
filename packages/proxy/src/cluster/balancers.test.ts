import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, systemRandom } from '@heddle/base';
import { SeededRandom } from '@heddle/testkit';
import { type BalancingConfig, chooseBalancer } from './choose-balancer.ts';
import { Endpoint, type EndpointHealth, type EndpointPool } from './endpoint.ts';
import { type PriorityHealth, spreadLoad } from './priority-load.ts';

const noPool: EndpointPool = { close: () => undefined, dropConnections: () => undefined };
const config: BalancingConfig = {
  policy: 'round-robin',
  choiceCount: 2,
  panicThresholdPercent: 50,
  ringSize: { minimum: 1024, maximum: 1024 },
  tableSize: 103,
};

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

test('degraded endpoints get what the healthy ones cannot take', () => {
  const { ports, panics } = tally([endpoint(1), endpoint(2, { health: 'degraded' })]);
  assert.ok(Math.abs(ports[1]! - 7000) < 300, JSON.stringify(ports));
  assert.ok(Math.abs(ports[2]! - 3000) < 300, JSON.stringify(ports));
  assert.equal(panics, 0);
  const alone = [endpoint(1, { health: 'degraded' }), endpoint(2, { health: 'unhealthy' })];
  assert.deepEqual(tally(alone, {}, systemRandom, 5).ports, { 1: 5 });
});

test('the next priority takes what the first one cannot', () => {
  const endpoints = [endpoint(1), endpoint(2, { health: 'unhealthy' }), endpoint(3, { priority: 1 })];
  const { ports, panics } = tally(endpoints);
  // Half of it is healthy: 70 per cent with overprovisioning.
  assert.ok(Math.abs(ports[1]! - 7000) < 300, JSON.stringify(ports));
  assert.ok(Math.abs(ports[3]! - 3000) < 300, JSON.stringify(ports));
  assert.equal(panics, 0);
});

/** Endpoints of one priority: `h` healthy, `d` degraded, `u` unhealthy, `x` draining, each with its number. */
function priorityOf(text: string): PriorityHealth {
  const count = (letter: string): number => Number(new RegExp(`(\\d+)${letter}`).exec(text)?.[1] ?? 0);
  const [healthy, degraded, draining] = [count('h'), count('d'), count('x')];
  return { total: healthy + degraded + count('u') + draining, healthy, degraded, draining };
}

// Priorities, panic threshold, and the load of each: healthy+degraded, with ! in panic. Envoy 1.40 spreads them alike.
const spreads: readonly (readonly [string, string, number, string])[] = [
  ['all is well', '10h, 10h', 50, '100 0'],
  ['still enough', '8h 2u, 10h', 50, '100 0'],
  ['a part goes on', '5h 5u, 10h', 50, '70 30'],
  ['the first is down', '10u, 10h', 50, '0 100'],
  ['an empty one is passed over', ', 10h', 50, '0 100'],
  ['both weak: scaled up to 100', '2h 8u, 2h 8u', 0, '50 50'],
  ['one of two in panic', '2h 8u, 5h 5u', 50, '29! 71'],
  ['all in panic: by number', '1h 9u, 1h 29u', 50, '25! 75!'],
  ['nobody is healthy and panic is off', '10u, 10u', 0, '100 0'],
  ['nothing at all', '', 50, '100'],
  ['degraded ones take what the healthy leave', '1h 1d', 50, '70+30'],
  ['degraded ones alone', '2d', 50, '0+100'],
  ['the healthy of the next priority come before the degraded', '1h 1d 1u, 1h', 50, '46 54'],
  ['degraded ones in both priorities', '1h 1d 8u, 1h 1d 8u', 0, '25+25 25+25'],
  ['degraded ones keep off panic', '1d 1u', 50, '0+100'],
  ['too few healthy and degraded ones', '1d 3u', 50, '100!'],
  ['draining ones count for nothing', '1h 1x, 1h', 50, '100 0'],
  ['nothing but draining ones', '1x', 50, '100!'],
];
for (const [what, priorities, threshold, expected] of spreads) {
  test(`load over priorities: ${what}`, () => {
    const loads = spreadLoad(priorities.split(',').map(priorityOf), 140, threshold);
    const written = loads.map(({ healthyLoad, degradedLoad, isInPanic }) => {
      const degraded = degradedLoad > 0 ? `+${degradedLoad}` : '';
      return `${healthyLoad}${degraded}${isInPanic ? '!' : ''}`;
    });
    assert.equal(written.join(' '), expected);
  });
}
