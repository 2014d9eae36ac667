import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom, VirtualClock } from '@heddle/testkit';
import { DrainManager, type DrainStrategy } from './drain-manager.ts';

function manager(strategy: DrainStrategy) {
  const clock = new VirtualClock();
  return {
    clock,
    manager: new DrainManager({ clock, random: new SeededRandom(1), drainTimeMs: 10_000, strategy }),
  };
}

const share = (policy: { shouldClose(): boolean }): number =>
  Array.from({ length: 2_000 }, () => policy.shouldClose()).filter(Boolean).length / 2_000;

test('a gradual drain closes ever more connections until it closes all', () => {
  const { clock, manager: drains } = manager('gradual');
  const policy = drains.policyOf('outbound');
  assert.equal(share(policy), 0);
  drains.start(false, () => undefined);
  assert.equal(share(policy), 0);
  clock.advance(2_500);
  assert.ok(Math.abs(share(policy) - 0.25) < 0.05, String(share(policy)));
  clock.advance(5_000);
  assert.ok(Math.abs(share(policy) - 0.75) < 0.05, String(share(policy)));
  clock.advance(2_500);
  assert.equal(share(policy), 1);
});

test('an immediate drain closes all from the start', () => {
  const { manager: drains } = manager('immediate');
  drains.start(false, () => undefined);
  assert.equal(share(drains.policyOf('unspecified')), 1);
});

test('an inbound drain leaves outbound connections alone', () => {
  const { manager: drains } = manager('immediate');
  drains.start(true, () => undefined);
  assert.equal(share(drains.policyOf('inbound')), 1);
  assert.equal(share(drains.policyOf('outbound')), 0);
});

test('a failed health check closes all for as long as it fails', () => {
  const { manager: drains } = manager('gradual');
  drains.isHealthCheckFailed = true;
  assert.equal(share(drains.policyOf('outbound')), 1);
  drains.isHealthCheckFailed = false;
  assert.equal(share(drains.policyOf('outbound')), 0);
});

test('tells the end of the drain time once, however often it is started', () => {
  const { clock, manager: drains } = manager('gradual');
  let ends = 0;
  drains.start(false, () => ends++);
  clock.advance(5_000);
  drains.start(false, () => ends++);
  clock.advance(5_000);
  assert.equal(ends, 1);
  clock.advance(20_000);
  assert.equal(ends, 1);
});
