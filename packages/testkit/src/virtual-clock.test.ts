import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock, virtualEpochMs } from './virtual-clock.ts';

test('time stands still until it is advanced', () => {
  const clock = new VirtualClock();
  assert.equal(clock.now(), virtualEpochMs);
  assert.equal(clock.monotonic(), 0);
  clock.advance(1500);
  assert.equal(clock.now(), virtualEpochMs + 1500);
  assert.equal(clock.monotonic(), 1500);
});

test('timers run in order of due time, equal times in the order they were set', () => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  for (const [name, delay] of [
    ['c', 20],
    ['a', 10],
    ['b', 10],
    ['d', 20],
  ] as const) {
    clock.setTimer(delay, () => ran.push(`${name}@${clock.monotonic()}`));
  }
  clock.advance(20);
  assert.deepEqual(ran, ['a@10', 'b@10', 'c@20', 'd@20']);
});

test('a thousand timers come out sorted', () => {
  const clock = new VirtualClock();
  const ran: number[] = [];
  for (let index = 0; index < 1000; index++) {
    const delay = (index * 7919) % 1000;
    clock.setTimer(delay, () => ran.push(clock.monotonic()));
  }
  clock.runUntilIdle();
  assert.deepEqual(
    ran,
    ran.toSorted((a, b) => a - b),
  );
  assert.equal(ran.length, 1000);
});

test('advance runs timers that were set by timers within the same span, and no later ones', () => {
  const clock = new VirtualClock();
  const ran: number[] = [];
  const again = (): void => {
    ran.push(clock.monotonic());
    clock.setTimer(10, again);
  };
  clock.setTimer(10, again);
  clock.advance(35);
  assert.deepEqual(ran, [10, 20, 30]);
  assert.equal(clock.monotonic(), 35);
  assert.equal(clock.untilNextMs, 5);
});

test('a cancelled timer does not run and is not pending', () => {
  const clock = new VirtualClock();
  let ran = false;
  const timer = clock.setTimer(10, () => (ran = true));
  timer.cancel();
  timer.cancel();
  assert.equal(clock.pendingTimers, 0);
  assert.equal(clock.untilNextMs, null);
  clock.advance(100);
  assert.equal(ran, false);
});

test('cancelling a timer from its own callback changes nothing', () => {
  const clock = new VirtualClock();
  const timer = clock.setTimer(1, () => timer.cancel());
  clock.advance(1);
  assert.equal(clock.pendingTimers, 0);
});

test('runUntilIdle gives up on a timer that re-arms itself for ever', () => {
  const clock = new VirtualClock();
  const again = (): void => void clock.setTimer(1, again);
  again();
  assert.throws(() => clock.runUntilIdle({ limitMs: 1000 }), /still set/);
});

test('the asynchronous variants settle promise chains between two timers', async () => {
  const clock = new VirtualClock();
  const order: string[] = [];
  clock.setTimer(10, () => {
    void (async () => {
      for (let index = 0; index < 50; index++) await Promise.resolve();
      order.push('chain');
      clock.setTimer(5, () => order.push('set by the chain'));
    })();
  });
  clock.setTimer(20, () => order.push('later'));
  await clock.advanceAsync(20);
  assert.deepEqual(order, ['chain', 'set by the chain', 'later']);
});

test('runUntil stops at the timer that makes the condition true', async () => {
  const clock = new VirtualClock();
  let done = false;
  clock.setTimer(30, () => (done = true));
  clock.setTimer(60, () => undefined);
  await clock.runUntil(() => done);
  assert.equal(clock.monotonic(), 30);
  await assert.rejects(
    clock.runUntil(() => false),
    /does not hold/,
  );
});
