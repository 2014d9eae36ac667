import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Clock, Timer } from './clock.ts';
import { TimerWheel, type TimerWheelEntry } from './timer-wheel.ts';

/** A clock that stands still until it is moved; one timer at a time is all the wheel needs. */
class StillClock implements Clock {
  private time = 1_000;
  private due: { at: number; callback: () => void } | null = null;

  now(): number {
    return this.time;
  }

  monotonic(): number {
    return this.time;
  }

  recent(): number {
    return this.time;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const due = { at: this.time + delayMs, callback };
    this.due = due;
    return {
      cancel: () => {
        if (this.due === due) this.due = null;
      },
    };
  }

  defer(callback: () => void): void {
    this.setTimer(0, callback);
  }

  get hasTimer(): boolean {
    return this.due !== null;
  }

  advance(ms: number): void {
    const end = this.time + ms;
    while (this.due !== null && this.due.at <= end) {
      const { at, callback } = this.due;
      this.due = null;
      this.time = at;
      callback();
    }
    this.time = end;
  }
}

class Entry implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  fired = 0;
  onFire: () => void = () => undefined;

  onTimeout(): void {
    this.fired++;
    this.onFire();
  }
}

describe('a timer wheel', () => {
  test('fires once, not before the deadline and at most one tick after it', () => {
    const clock = new StillClock();
    const wheel = new TimerWheel(clock, 10, 16);
    const entry = new Entry();
    wheel.arm(entry, 35);
    clock.advance(34);
    assert.equal(entry.fired, 0);
    clock.advance(20);
    assert.equal(entry.fired, 1);
    clock.advance(1_000);
    assert.equal(entry.fired, 1);
  });

  test('fires entries whose deadline is several turns away on time', () => {
    const clock = new StillClock();
    const wheel = new TimerWheel(clock, 10, 4);
    const entry = new Entry();
    wheel.arm(entry, 400);
    clock.advance(395);
    assert.equal(entry.fired, 0);
    clock.advance(25);
    assert.equal(entry.fired, 1);
  });

  test('takes the last deadline, be it earlier or later', () => {
    const clock = new StillClock();
    const wheel = new TimerWheel(clock, 10, 16);
    const entry = new Entry();
    wheel.arm(entry, 50);
    wheel.arm(entry, 100);
    clock.advance(80);
    assert.equal(entry.fired, 0, 'pushed back');
    wheel.arm(entry, 10);
    clock.advance(25);
    assert.equal(entry.fired, 1, 'pulled forward');
  });

  test('forgets what is disarmed, and holds no timer when nothing is armed', () => {
    const clock = new StillClock();
    const wheel = new TimerWheel(clock, 10, 16);
    const entry = new Entry();
    wheel.arm(entry, 30);
    wheel.disarm(entry);
    clock.advance(100);
    assert.equal(entry.fired, 0);
    assert.equal(clock.hasTimer, false);
  });

  test('forgets what is suspended, and lets it be armed again for sooner or later', () => {
    const clock = new StillClock();
    const wheel = new TimerWheel(clock, 10, 16);
    const entry = new Entry();
    wheel.arm(entry, 30);
    wheel.suspend(entry);
    wheel.suspend(entry);
    clock.advance(100);
    assert.equal(entry.fired, 0);
    assert.equal(wheel.size, 0, 'its slot has come up');
    assert.equal(clock.hasTimer, false);
    wheel.arm(entry, 50);
    wheel.suspend(entry);
    wheel.arm(entry, 20);
    clock.advance(35);
    assert.equal(entry.fired, 1, 'sooner');
    wheel.arm(entry, 20);
    wheel.suspend(entry);
    wheel.arm(entry, 50);
    clock.advance(40);
    assert.equal(entry.fired, 1, 'later');
    clock.advance(25);
    assert.equal(entry.fired, 2);
  });

  test('lets an entry arm itself and disarm another while it fires', () => {
    const clock = new StillClock();
    const wheel = new TimerWheel(clock, 10, 4);
    const first = new Entry();
    const second = new Entry();
    first.onFire = () => {
      wheel.disarm(second);
      if (first.fired < 3) wheel.arm(first, 40);
    };
    wheel.arm(first, 20);
    wheel.arm(second, 20);
    clock.advance(500);
    assert.equal(first.fired, 3);
    assert.equal(second.fired, 0);
  });
});
