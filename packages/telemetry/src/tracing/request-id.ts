// Hot path.
import type { Random } from '@heddle/base';

const digits = Buffer.from('0123456789abcdef');
const hyphen = 0x2d;
/** Where the next id is written: one string is made of it, instead of one for every piece. */
const text = Buffer.alloc(36, hyphen);

/** Writes the lowest `count` hexadecimal digits of `value`. */
function writeHex(value: number, at: number, count: number): void {
  let rest = value;
  for (let i = at + count - 1; i >= at; i--) {
    text[i] = digits[rest & 15]!;
    rest >>>= 4;
  }
}

/**
 * Makes an `x-request-id`: a random UUID of version 4 (RFC 9562, 5.4). Its 15th character is `4`, which Envoy reads as
 * "no tracing decision".
 */
export function newRequestId(random: Random): string {
  writeHex(random.uint32(), 0, 8);
  const b = random.uint32();
  const c = random.uint32();
  writeHex(b >>> 16, 9, 4);
  writeHex((b & 0x0fff) | 0x4000, 14, 4);
  writeHex(((c >>> 16) & 0x3fff) | 0x8000, 19, 4);
  writeHex(c, 24, 4);
  writeHex(random.uint32(), 28, 8);
  return text.toString('latin1');
}
