import type { Clock } from '@heddle/base';

/** How long commands may hold the thread before traffic has its turn. */
const sliceMs = 1;

/** Does work in order, a millisecond at a time: steps of a large one are as short as those of many small ones. */
export class CommandQueue {
  private readonly clock: Clock;
  private readonly pending: (() => Iterator<unknown> | void)[] = [];
  /** What is left of the work that is under way. */
  private current: Iterator<unknown> | null = null;
  private isRunning = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Adds work; where it gives an iterator, that is the rest of it, in steps. */
  push(work: () => Iterator<unknown> | void): void {
    this.pending.push(work);
    if (!this.isRunning) this.run();
  }

  private run(): void {
    this.isRunning = true;
    const deadline = this.clock.monotonic() + sliceMs;
    while (this.current !== null || this.pending.length > 0) {
      if (this.current === null) this.current = this.pending.shift()!() ?? null;
      else if (this.current.next().done === true) this.current = null;
      if (this.clock.monotonic() >= deadline) {
        this.clock.setTimer(0, () => this.run());
        return;
      }
    }
    this.isRunning = false;
  }
}
