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
   * Calls `callback` once after `delayMs`. The timer keeps no process alive on its own.
   */
  setTimer(delayMs: number, callback: () => void): Timer;
}

class SystemTimer implements Timer {
  private readonly handle: NodeJS.Timeout;

  constructor(delayMs: number, callback: () => void) {
    this.handle = setTimeout(callback, delayMs);
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
};
