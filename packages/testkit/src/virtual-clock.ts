import { type Clock, type Timer, invariant } from '@heddle/base';

/** 2026-01-01T00:00:00Z: where virtual time starts unless a test says otherwise. */
export const virtualEpochMs = Date.UTC(2026, 0, 1);

/** A timer in the heap; cancelled ones stay there until they come up. */
class VirtualTimer implements Timer {
  readonly dueMs: number;
  readonly sequence: number;
  callback: (() => void) | null;
  private readonly owner: VirtualClock;

  constructor(owner: VirtualClock, dueMs: number, sequence: number, callback: () => void) {
    this.owner = owner;
    this.dueMs = dueMs;
    this.sequence = sequence;
    this.callback = callback;
  }

  cancel(): void {
    if (this.callback === null) return;
    this.callback = null;
    this.owner.noteCancelled();
  }
}

function isBefore(a: VirtualTimer, b: VirtualTimer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.sequence < b.sequence);
}

/** Bounds of a run, so that a test with a runaway timer fails instead of hanging. */
export interface RunLimits {
  /** Virtual milliseconds after which the run is given up; default one hour. */
  readonly limitMs?: number;
  /** Timers after which the run is given up; default ten million. */
  readonly limitTimers?: number;
}

/**
 * Time that passes only when a test says so. Timers run in order of their due time, those due at the same time in the
 * order in which they were set: the same calls give the same run.
 *
 * The plain methods run timers only. The `async` ones also let promises settle before each next timer, which code with
 * `await` in it needs; they yield to the event loop, so that real I/O may happen between two timers too: a run is
 * reproducible only if nothing in it uses real sockets, files or the thread pool.
 */
export class VirtualClock implements Clock {
  private readonly epochMs: number;
  private elapsedMs = 0;
  private sequence = 0;
  private readonly heap: VirtualTimer[] = [];
  private pending = 0;

  constructor(options: { readonly epochMs?: number } = {}) {
    this.epochMs = options.epochMs ?? virtualEpochMs;
  }

  now(): number {
    return this.epochMs + Math.floor(this.elapsedMs);
  }

  monotonic(): number {
    return this.elapsedMs;
  }

  recent(): number {
    return this.elapsedMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    invariant(!Number.isNaN(delayMs), 'a timer needs a delay');
    const timer = new VirtualTimer(this, this.elapsedMs + Math.max(0, delayMs), this.sequence++, callback);
    this.push(timer);
    this.pending++;
    return timer;
  }

  defer(callback: () => void): void {
    this.setTimer(0, callback);
  }

  /** Timers set and neither run nor cancelled. */
  get pendingTimers(): number {
    return this.pending;
  }

  /** Virtual milliseconds until the next timer, or null where none is set. */
  get untilNextMs(): number | null {
    const next = this.peek();
    return next === null ? null : next.dueMs - this.elapsedMs;
  }

  /** Lets `ms` pass, running the timers that come due, also those set meanwhile. */
  advance(ms: number): void {
    const end = this.elapsedMs + ms;
    while (this.runNext(end)) {
      // Each call runs one timer.
    }
    this.elapsedMs = end;
  }

  /** As `advance`, with promises settled before the first timer and after each. */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.elapsedMs + ms;
    await settlePromises();
    while (this.runNext(end)) await settlePromises();
    this.elapsedMs = end;
  }

  /** Runs until no timer is left. Throws where the limits are reached first: something re-arms itself for ever. */
  runUntilIdle(limits: RunLimits = {}): void {
    const end = this.elapsedMs + (limits.limitMs ?? 3_600_000);
    let left = limits.limitTimers ?? 10_000_000;
    while (left > 0 && this.runNext(end)) left--;
    this.assertIdle();
  }

  /** As `runUntilIdle`, with promises settled before the first timer and after each. */
  async runUntilIdleAsync(limits: RunLimits = {}): Promise<void> {
    const end = this.elapsedMs + (limits.limitMs ?? 3_600_000);
    let left = limits.limitTimers ?? 10_000_000;
    await settlePromises();
    while (left > 0 && this.runNext(end)) {
      left--;
      await settlePromises();
    }
    this.assertIdle();
  }

  /**
   * Runs timer by timer, promises settled in between, until `condition` holds. Throws where it doesn't within the limits
   * or when no timer is left.
   */
  async runUntil(condition: () => boolean, limits: RunLimits = {}): Promise<void> {
    const end = this.elapsedMs + (limits.limitMs ?? 3_600_000);
    let left = limits.limitTimers ?? 10_000_000;
    await settlePromises();
    while (!condition()) {
      if (left === 0 || !this.runNext(end)) {
        throw new Error(`the condition does not hold after ${this.elapsedMs} virtual milliseconds`);
      }
      left--;
      await settlePromises();
    }
  }

  /** Called by a timer that is cancelled. */
  noteCancelled(): void {
    this.pending--;
  }

  private assertIdle(): void {
    if (this.pending > 0) {
      throw new Error(`${this.pending} timers are still set after ${this.elapsedMs} virtual milliseconds`);
    }
  }

  /** Runs the next timer that is due at or before `end`; false where there is none. */
  private runNext(end: number): boolean {
    const timer = this.peek();
    if (timer === null || timer.dueMs > end) return false;
    this.pop();
    this.pending--;
    const callback = timer.callback!;
    timer.callback = null;
    this.elapsedMs = timer.dueMs;
    callback();
    return true;
  }

  /** The next live timer; drops cancelled ones on the way. */
  private peek(): VirtualTimer | null {
    for (;;) {
      const first = this.heap[0];
      if (first === undefined) return null;
      if (first.callback !== null) return first;
      this.pop();
    }
  }

  private push(timer: VirtualTimer): void {
    const heap = this.heap;
    let index = heap.length;
    heap.push(timer);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(timer, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = timer;
  }

  private pop(): void {
    const heap = this.heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

/** Resolves when all promises that can settle without I/O have settled, however long their chains are. */
export function settlePromises(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
