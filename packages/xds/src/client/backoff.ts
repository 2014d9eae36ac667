import type { Random } from '@heddle/base';

/** Delays between attempts: doubling up to a limit, each between half of itself and itself, so that a fleet spreads out. */
export class Backoff {
  private readonly baseMs: number;
  private readonly maxMs: number;
  private readonly random: Random;
  private attempts = 0;

  constructor(baseMs: number, maxMs: number, random: Random) {
    this.baseMs = baseMs;
    this.maxMs = maxMs;
    this.random = random;
  }

  /** How long to wait before the next attempt. */
  nextMs(): number {
    const full = Math.min(this.maxMs, this.baseMs * 2 ** Math.min(this.attempts, 30));
    this.attempts++;
    return full / 2 + (full / 2) * this.random.float();
  }

  /** An attempt succeeded. */
  reset(): void {
    this.attempts = 0;
  }
}
