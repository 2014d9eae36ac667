// Hot path.
// Base64 (RFC 4648 §4) as gRPC-Web sends it: in pieces that each may end with padding, one behind the other, cut anywhere.

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const invalid = 0xff;
const padding = 0x3d;

/** What a character stands for. */
const values = new Uint8Array(256).fill(invalid);
for (let value = 0; value < alphabet.length; value++) values[alphabet.charCodeAt(value)] = value;

/** How many bytes `length` more characters can give at most. */
export function maxDecodedBytes(length: number): number {
  return Math.ceil(((length + 3) * 3) / 4);
}

/**
 * Decodes one direction of a call. Strict: no characters but the alphabet's, padding where it is due and nowhere else, and
 * no bits behind the last byte, so that what is checked is what is forwarded.
 */
export class Base64Decoder {
  /** How many of the four characters of a group have come, padding too. */
  private filled = 0;
  /** Their bits. */
  private group = 0;
  /** The group's padding. */
  private padding = 0;

  reset(): void {
    this.filled = 0;
    this.group = 0;
    this.padding = 0;
  }

  /** Whether the characters so far are whole groups: a body may end here. */
  get isComplete(): boolean {
    return this.filled === 0;
  }

  /**
   * Decodes `input[start, end)` to `output` from `at` on, which has room for `maxDecodedBytes` and is other memory. Returns the
   * position behind the last byte; -1 where the input is no base64.
   */
  decode(input: Uint8Array, start: number, end: number, output: Uint8Array, at: number): number {
    let from = start;
    let to = at;
    while (from < end) {
      if (this.filled === 0) {
        // Whole groups without padding: nearly everything.
        while (end - from >= 4) {
          const a = values[input[from]!]!;
          const b = values[input[from + 1]!]!;
          const c = values[input[from + 2]!]!;
          const d = values[input[from + 3]!]!;
          if ((a | b | c | d) === invalid) break;
          output[to] = (a << 2) | (b >> 4);
          output[to + 1] = ((b & 15) << 4) | (c >> 2);
          output[to + 2] = ((c & 3) << 6) | d;
          to += 3;
          from += 4;
        }
        if (from === end) break;
      }
      to = this.take(input[from++]!, output, to);
      if (to < 0) return -1;
    }
    return to;
  }

  /** Takes one character; returns the new position in the output, or -1. */
  private take(character: number, output: Uint8Array, at: number): number {
    if (character === padding) {
      if (this.filled < 2) return -1;
      this.padding++;
      this.group <<= 6;
    } else {
      const value = values[character]!;
      if (value === invalid || this.padding > 0) return -1;
      this.group = (this.group << 6) | value;
    }
    if (++this.filled < 4) return at;
    const { group } = this;
    const bytes = 3 - this.padding;
    this.reset();
    if ((group & ((1 << (8 * (3 - bytes))) - 1)) !== 0) return -1;
    output[at] = group >> 16;
    if (bytes > 1) output[at + 1] = (group >> 8) & 0xff;
    if (bytes > 2) output[at + 2] = group & 0xff;
    return at + bytes;
  }
}
