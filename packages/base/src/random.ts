import { randomFillSync } from 'node:crypto';

/**
 * Where randomness comes from: injected like the clock, so that a simulation replays from its seed. For load balancing,
 * jitter and identifiers; keys and tokens are made by `node:crypto` directly and never by this.
 */
export interface Random {
  /** A uniform integer of 32 bits. */
  uint32(): number;
  /** A uniform number in [0, 1). */
  float(): number;
}

const poolSize = 1024;

/** Draws from the operating system's generator through a pool: one call into C++ per 1,024 numbers. */
class SystemRandom implements Random {
  private readonly pool = new Uint32Array(poolSize);
  private next = poolSize;

  uint32(): number {
    if (this.next === poolSize) {
      randomFillSync(this.pool);
      this.next = 0;
    }
    return this.pool[this.next++]!;
  }

  float(): number {
    return this.uint32() / 0x1_0000_0000;
  }
}

/** The machine's randomness. */
export const systemRandom: Random = new SystemRandom();
