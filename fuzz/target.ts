import type { SeededRandom } from '@heddle/testkit';

/** A parser under attack. */
export interface FuzzTarget {
  readonly name: string;
  /** Where mutation starts: at least one valid input. */
  readonly seeds: readonly Uint8Array[];
  /** Makes a changed copy of an input; by default bytes are changed without knowing what they mean. */
  readonly mutate?: (input: Uint8Array, corpus: readonly Uint8Array[], random: SeededRandom) => Uint8Array;
  /** Feeds one input; throws where a property is broken. `random` depends on the input only, so that a finding replays. */
  run(input: Uint8Array, random: SeededRandom): void;
}

/** Up to `count` places at which to cut an input, sorted. */
export function randomCuts(length: number, count: number, random: SeededRandom): number[] {
  return Array.from({ length: random.integer(0, count) }, () => random.integer(0, length)).toSorted(
    (a, b) => a - b,
  );
}

/** The text's bytes. */
export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
