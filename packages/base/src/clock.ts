/** A timer that has been set. */
export interface Timer {
  /** Prevents the call; does nothing when it has happened already. */
  cancel(): void;
}

/**
 * Where time comes from. Everything that reads time or waits is given a clock, so that a whole mesh can run on
 * virtual time; `Date.now` and `setTimeout` are used here and nowhere else.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970, for certificates, logs and leases. May jump. */
  now(): number;
  /** Milliseconds since an arbitrary start, with fractions; never goes backwards. For durations. */
  monotonic(): number;
  /**
   * Calls `callback` once after `delayMs` (0 for a negative one), never during this call. The timer keeps no process
   * alive on its own.
   */
  setTimer(delayMs: number, callback: () => void): Timer;
  /**
   * Calls `callback` once, as soon as the event loop has dealt with what it has at hand: what came at the same time has been
   * handled then, and no time has passed.
   */
  defer(callback: () => void): void;
}

class SystemTimer implements Timer {
  private readonly handle: NodeJS.Timeout;

  constructor(delayMs: number, callback: () => void) {
    // A moment that has passed already is as good as now; Node would warn about a negative delay.
    this.handle = setTimeout(callback, Math.max(0, delayMs));
    this.handle.unref();
  }

  cancel(): void {
    clearTimeout(this.handle);
  }
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, callback) => new SystemTimer(delayMs, callback),
  defer: (callback) => {
    setImmediate(callback);
  },
};
