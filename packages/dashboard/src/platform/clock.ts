/** A wait that has begun. */
export interface Wait {
  /** Prevents the call; does nothing when it has happened already. */
  cancel(): void;
}

/** Where the dashboard takes time and chance from; everything that waits is given one, so that tests can hold it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `callback` once after `delayMs`. */
  wait(delayMs: number, callback: () => void): Wait;
  /** At least 0, less than 1. */
  random(): number;
}

/** The browser's clock: the only place that reads time or sets timers. */
export const browserClock: Clock = {
  now: () => Date.now(),
  wait: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return {
      cancel: () => {
        clearTimeout(timer);
      },
    };
  },
  random: () => Math.random(),
};
