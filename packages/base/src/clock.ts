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
   * What `monotonic` has answered last, to whomever: now, but for what has run since. For deadlines of seconds that are set
   * for every request.
   */
  recent(): number;
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

class SystemClock implements Clock {
  private last = performance.now();

  now(): number {
    return Date.now();
  }

  monotonic(): number {
    return (this.last = performance.now());
  }

  recent(): number {
    return this.last;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return new SystemTimer(delayMs, callback);
  }

  defer(callback: () => void): void {
    setImmediate(callback);
  }
}

/** The machine's clock. */
export const systemClock: Clock = new SystemClock();
