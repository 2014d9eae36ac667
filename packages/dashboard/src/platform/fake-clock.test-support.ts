import type { Clock, Wait } from './clock.ts';

/** A clock for tests, on which time passes only by `advance`. */
export class FakeClock implements Clock {
  private time = 1_000_000;
  private waits: { readonly at: number; readonly callback: () => void }[] = [];

  now(): number {
    return this.time;
  }

  random(): number {
    return 0.5;
  }

  wait(delayMs: number, callback: () => void): Wait {
    const entry = { at: this.time + delayMs, callback };
    this.waits.push(entry);
    return {
      cancel: () => {
        this.waits = this.waits.filter((other) => other !== entry);
      },
    };
  }

  /** How many callbacks wait. */
  get waiting(): number {
    return this.waits.length;
  }

  /** Lets time pass and makes the calls that are due, in their order; answers that have arrived are handled between them. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await settle();
    for (;;) {
      const next = this.waits.filter((wait) => wait.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.waits = this.waits.filter((other) => other !== next);
      this.time = next.at;
      next.callback();
      await settle();
    }
    this.time = end;
  }
}

/** Lets promises that are already settled run their callbacks. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
