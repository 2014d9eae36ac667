import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '@heddle/testkit';
import { IdleTrim, type ProcessMemory } from './idle-trim.ts';

const mib = 1024 * 1024;

/** A process whose size and work the test sets. */
class FakeMemory implements ProcessMemory {
  residentBytes = 60 * mib;
  worked = 0;
  trims = 0;
  /** What a trim gives back. */
  freeableBytes = 0;

  resident(): number {
    return this.residentBytes;
  }

  workedMs(): number {
    return this.worked;
  }

  trim(): void {
    this.trims++;
    this.residentBytes -= this.freeableBytes;
    this.freeableBytes = 0;
  }

  burst(grownBytes: number, freeableBytes: number): void {
    this.worked += 3000;
    this.residentBytes += grownBytes;
    this.freeableBytes += freeableBytes;
  }
}

test('gives memory back once it is quiet after a burst, and not again', () => {
  const clock = new VirtualClock();
  const memory = new FakeMemory();
  const trim = new IdleTrim(clock, memory);
  memory.burst(50 * mib, 45 * mib);
  clock.advance(10_000);
  assert.equal(memory.trims, 0, 'it has just worked');
  clock.advance(10_000);
  assert.equal(memory.trims, 1);
  clock.advance(600_000);
  assert.equal(memory.trims, 1);
  trim.close();
});

test('leaves a process alone that has not grown, or works all the time', () => {
  const clock = new VirtualClock();
  const memory = new FakeMemory();
  const trim = new IdleTrim(clock, memory);
  memory.burst(7 * mib, 7 * mib);
  clock.advance(60_000);
  assert.equal(memory.trims, 0);
  for (let round = 0; round < 10; round++) {
    memory.burst(10 * mib, 10 * mib);
    clock.advance(10_000);
  }
  assert.equal(memory.trims, 0);
  trim.close();
});

test('takes what cannot be given back for its usual size', () => {
  const clock = new VirtualClock();
  const memory = new FakeMemory();
  const trim = new IdleTrim(clock, memory);
  memory.burst(50 * mib, 0);
  clock.advance(20_000);
  assert.equal(memory.trims, 1);
  memory.burst(4 * mib, 4 * mib);
  clock.advance(20_000);
  assert.equal(memory.trims, 1);
  memory.burst(8 * mib, 8 * mib);
  clock.advance(20_000);
  assert.equal(memory.trims, 2);
  trim.close();
});

test('looks no more once closed', () => {
  const clock = new VirtualClock();
  const memory = new FakeMemory();
  new IdleTrim(clock, memory).close();
  memory.burst(50 * mib, 45 * mib);
  clock.advance(60_000);
  assert.equal(memory.trims, 0);
});
