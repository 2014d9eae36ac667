import type { Clock, Timer } from '@heddle/base';

/**
 * Lets pushes happen at most once in `windowMs`: the first one after a pause at once, what is asked for in quick succession together at the
 * window's end. A push costs a look at every stream, whatever it is about.
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
    if (this.windowMs > 0) this.open();
    this.push();
  }

  close(): void {
    this.timer?.cancel();
  }

  private open(): void {
    this.timer = this.clock.setTimer(this.windowMs, () => {
      this.timer = null;
      if (!this.isDue) return;
      this.isDue = false;
      this.open();
      this.push();
    });
  }
}
