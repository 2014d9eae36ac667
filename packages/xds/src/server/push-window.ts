import type { Clock, Timer } from '@heddle/base';

/** However much there is to do, nobody waits longer than this for its begin. */
const maxWindowMs = 250;

/**
 * Lets pushes happen at most once in `windowMs`: the first one after a pause at once, what is asked for in quick succession together at the
 * window's end. A push costs a look at every stream, whatever it is about; where the thread does not keep up, windows get longer, and more
 * changes go together.
 */
export class PushWindow {
  private readonly clock: Clock;
  private readonly windowMs: number;
  private readonly push: () => void;
  private isDue = false;
  /** Runs while the window is open. */
  private timer: Timer | null = null;

  constructor(clock: Clock, windowMs: number, push: () => void) {
    this.clock = clock;
    this.windowMs = windowMs;
    this.push = push;
  }

  /** Asks for a push. */
  request(): void {
    if (this.timer !== null) {
      this.isDue = true;
      return;
    }
    if (this.windowMs > 0) this.open(this.windowMs);
    this.push();
  }

  close(): void {
    this.timer?.cancel();
  }

  private open(windowMs: number): void {
    const end = this.clock.monotonic() + windowMs;
    this.timer = this.clock.setTimer(windowMs, () => {
      this.timer = null;
      if (!this.isDue) return;
      this.isDue = false;
      // As late as this timer is the thread with all else.
      const lateMs = this.clock.monotonic() - end;
      this.open(Math.min(maxWindowMs, Math.max(this.windowMs, 2 * lateMs)));
      this.push();
    });
  }
}
