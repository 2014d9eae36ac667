import type { Random } from '@heddle/base';

/** Spreads a seed over 32-bit words (splitmix32, the seeding xoshiro's authors recommend). */
function splitMix(state: number): () => number {
  let word = state >>> 0;
  return () => {
    word = (word + 0x9e37_79b9) >>> 0;
    let mixed = word;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
}

/** FNV-1a over the characters of a text. */
function hashText(text: string): number {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x0100_0193);
  }
  return hash >>> 0;
}

/**
 * Randomness that replays: the same seed gives the same numbers on every machine (xoshiro128**). For simulations and
 * property tests, never for keys.
 */
export class SeededRandom implements Random {
  private readonly seed: number;
  private readonly words = new Uint32Array(4);

  constructor(seed: number | string) {
    this.seed = typeof seed === 'string' ? hashText(seed) : seed >>> 0;
    const next = splitMix(this.seed);
    for (let index = 0; index < 4; index++) this.words[index] = next();
  }

  /**
   * A generator of its own for one part of a simulation: what that part draws does not depend on how much the others
   * have drawn.
   */
  fork(name: string): SeededRandom {
    return new SeededRandom(`${this.seed}/${name}`);
  }

  uint32(): number {
    const words = this.words;
    const scrambled = Math.imul(words[1]!, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = words[1]! << 9;
    words[2] = words[2]! ^ words[0]!;
    words[3] = words[3]! ^ words[1]!;
    words[1] = words[1]! ^ words[2];
    words[0] = words[0]! ^ words[3];
    words[2] = words[2] ^ shifted;
    const high = words[3];
    words[3] = (high << 11) | (high >>> 21);
    return result;
  }

  float(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** A uniform integer in [low, high]. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.float() * (high - low + 1));
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.float() < probability;
  }

  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)]!;
  }
}
