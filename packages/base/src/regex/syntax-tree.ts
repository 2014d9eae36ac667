/** A set of bytes: 1 where the byte is in it. */
export type ByteSet = Uint8Array;

/** Where a pattern may insist on being: at the text's or a line's ends, at (or off) the edge of a word. */
export type Assertion = 'text-begin' | 'text-end' | 'line-begin' | 'line-end' | 'word-edge' | 'no-word-edge';

/** A regular expression, parsed. */
export type Node =
  | { readonly kind: 'bytes'; readonly set: ByteSet }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'concatenation'; readonly parts: readonly Node[] }
  | { readonly kind: 'alternation'; readonly parts: readonly Node[] }
  /** `max` is -1 for no bound. */
  | {
      readonly kind: 'repetition';
      readonly node: Node;
      readonly min: number;
      readonly max: number;
      readonly isGreedy: boolean;
    }
  /** `index` counts from 1. */
  | { readonly kind: 'capture'; readonly node: Node; readonly index: number };

/** The bytes from `low` to `high`, in the set after the call. */
export function addRange(set: ByteSet, low: number, high: number): void {
  set.fill(1, low, high + 1);
}

export function singleByte(byte: number): ByteSet {
  const set = new Uint8Array(256);
  set[byte] = 1;
  return set;
}

export function inverted(set: ByteSet): ByteSet {
  return set.map((bit) => 1 - bit);
}

/** Adds the other case of each ASCII letter. */
export function withBothCases(set: ByteSet): ByteSet {
  const both = set.slice();
  for (let upper = 0x41; upper <= 0x5a; upper++) {
    if (set[upper] === 1 || set[upper + 0x20] === 1) both[upper] = both[upper + 0x20] = 1;
  }
  return both;
}

function setOf(...ranges: readonly (readonly [number, number])[]): ByteSet {
  const set = new Uint8Array(256);
  for (const [low, high] of ranges) addRange(set, low, high);
  return set;
}

const digit = setOf([0x30, 0x39]);
const space = setOf([0x09, 0x0a], [0x0c, 0x0d], [0x20, 0x20]);
/** What `\w` and `\b` take for part of a word. */
export const wordBytes = setOf([0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]);

/** `\d` and its like, by their letter. */
export const escapedClasses: Readonly<Record<string, ByteSet>> = {
  d: digit,
  D: inverted(digit),
  s: space,
  S: inverted(space),
  w: wordBytes,
  W: inverted(wordBytes),
};

/** `[[:alpha:]]` and its like, by their name. */
export const namedClasses: Readonly<Record<string, ByteSet>> = {
  alnum: setOf([0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a]),
  alpha: setOf([0x41, 0x5a], [0x61, 0x7a]),
  ascii: setOf([0, 0x7f]),
  blank: setOf([0x09, 0x09], [0x20, 0x20]),
  cntrl: setOf([0, 0x1f], [0x7f, 0x7f]),
  digit,
  graph: setOf([0x21, 0x7e]),
  lower: setOf([0x61, 0x7a]),
  print: setOf([0x20, 0x7e]),
  punct: setOf([0x21, 0x2f], [0x3a, 0x40], [0x5b, 0x60], [0x7b, 0x7e]),
  space: setOf([0x09, 0x0d], [0x20, 0x20]),
  upper: setOf([0x41, 0x5a]),
  word: wordBytes,
  xdigit: setOf([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]),
};
