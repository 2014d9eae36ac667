// Gives back what a burst took. V8 keeps a heap that has grown, and the C library what was freed in it: a proxy that
// once served 5,000 connections would hold their memory until it ends.
import type { Clock, Timer } from '@heddle/base';
import { trimMemory } from './trim-memory.ts';

const lookMs = 10_000;
/** Above this share of time at work a pause would be felt. */
const quietShare = 0.05;
/** Less work than this since the last time leaves nothing behind. */
const workMs = 100;
/** So much more than before is worth a pause; half of it given back was. */
const grownBytes = 8 * 1024 * 1024;

/** What is looked at and done, replaced in tests. */
export interface ProcessMemory {
  /** Bytes of the process that are in memory. */
  resident(): number;
  /** Milliseconds that this thread has worked since it started. */
  workedMs(): number;
  /** Gives back what can be; holds the thread for some 20 ms. */
  trim(): void;
}

const ownMemory: ProcessMemory = {
  resident: () => process.memoryUsage.rss(),
  workedMs: () => performance.eventLoopUtilization().active,
  trim: trimMemory,
};

/** Looks every ten seconds, and trims once it is quiet after work that made the process grow. */
export class IdleTrim {
  private readonly clock: Clock;
  private readonly memory: ProcessMemory;
  private timer: Timer;
  private usualBytes: number;
  private workedAtLook: number;
  private workedAtTrim: number;

  /** To be made when the process serves and has been trimmed: what it has then is its usual size. */
  constructor(clock: Clock, memory: ProcessMemory = ownMemory) {
    this.clock = clock;
    this.memory = memory;
    this.usualBytes = memory.resident();
    this.workedAtLook = memory.workedMs();
    this.workedAtTrim = this.workedAtLook;
    this.timer = this.schedule();
  }

  close(): void {
    this.timer.cancel();
  }

  private schedule(): Timer {
    return this.clock.setTimer(lookMs, () => {
      this.timer = this.schedule();
      this.look();
    });
  }

  private look(): void {
    const { memory } = this;
    const worked = memory.workedMs();
    const isQuiet = worked - this.workedAtLook < quietShare * lookMs;
    this.workedAtLook = worked;
    if (!isQuiet || worked - this.workedAtTrim < workMs) return;
    const before = memory.resident();
    if (before < this.usualBytes + grownBytes) return;
    memory.trim();
    const after = memory.resident();
    this.workedAtLook = memory.workedMs();
    this.workedAtTrim = this.workedAtLook;
    // What can't be given back is in use: it is looked at again when the process has grown beyond it.
    if (before - after < grownBytes / 2) this.usualBytes = after;
  }
}
