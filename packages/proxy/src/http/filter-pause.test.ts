import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TimerWheel, systemClock } from '@heddle/base';
import { FilterPause } from './filter-pause.ts';
import type { HoldingFilter } from './http-filter.ts';

test('puts its flag where Envoy has it, and tells the filter once', () => {
  const timers = new TimerWheel(systemClock);
  const pause = new FilterPause({ timers, shortTimers: timers }, () => assert.fail('too early'));
  let ends = 0;
  const filter: HoldingFilter = { onRequest: () => null, onHeld: () => null, onHeldEnded: () => ends++ };
  for (const [before, after] of [
    ['-', 'DI'],
    ['FI', 'DI,FI'],
    ['UF,URX', 'UF,DI,URX'],
    ['UF', 'UF,DI'],
    ['DC', 'DI,DC'],
  ] as const) {
    pause.begin(filter, 0, 1000);
    assert.equal(pause.isWaiting, true);
    assert.equal(pause.end(before), after);
    assert.equal(pause.end(before), before);
    assert.equal(pause.isWaiting, false);
  }
  assert.equal(ends, 5);
  assert.equal(pause.end('FI'), 'FI');
  timers.close();
});
