import type { SeededRandom } from '@heddle/testkit';

const interesting = [0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x3a, 0x3b, 0x7f, 0x80, 0xff];
const largestInput = 8192;

function splice(bytes: Uint8Array, start: number, removed: number, inserted: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length - removed + inserted.length);
  result.set(bytes.subarray(0, start), 0);
  result.set(inserted, start);
  result.set(bytes.subarray(start + removed), start + inserted.length);
  return result;
}

function mutateOnce(bytes: Uint8Array, corpus: readonly Uint8Array[], random: SeededRandom): Uint8Array {
  const at = random.integer(0, Math.max(0, bytes.length - 1));
  const length = random.integer(1, Math.min(16, Math.max(1, bytes.length - at)));
  const nothing = new Uint8Array(0);
  const copy = Uint8Array.from(bytes);
  switch (random.integer(0, 7)) {
    case 0:
      if (copy.length > 0) copy[at] = copy[at]! ^ (1 << random.integer(0, 7));
      return copy;
    case 1:
      if (copy.length > 0) copy[at] = random.pick(interesting);
      return copy;
    case 2:
      if (copy.length > 0) copy[at] = random.integer(0, 255);
      return copy;
    case 3:
      return splice(bytes, at, Math.min(length, bytes.length - at), nothing);
    case 4:
      return splice(
        bytes,
        at,
        0,
        Uint8Array.from({ length }, () => random.pick(interesting)),
      );
    case 5:
      return splice(bytes, at, 0, bytes.subarray(at, at + length));
    case 6:
      return bytes.subarray(0, at);
    default: {
      // A part of another input that led somewhere.
      const other = random.pick(corpus);
      const from = random.integer(0, Math.max(0, other.length - 1));
      return splice(bytes, at, 0, other.subarray(from, from + random.integer(1, 64)));
    }
  }
}

/** A changed copy of `bytes`. */
export function mutate(bytes: Uint8Array, corpus: readonly Uint8Array[], random: SeededRandom): Uint8Array {
  let result = bytes;
  for (let count = random.integer(1, 4); count > 0; count--) result = mutateOnce(result, corpus, random);
  return result.length > largestInput ? result.subarray(0, largestInput) : result;
}
