// Hot path.
import type { Random } from '@heddle/base';

const digits = Buffer.from('0123456789abcdef');
/** The two digits of every byte, one after the other. */
const pairs = new Uint8Array(512);
for (let byte = 0; byte < 256; byte++) {
  pairs[byte * 2] = digits[byte >>> 4]!;
  pairs[byte * 2 + 1] = digits[byte & 15]!;
}
const hyphen = 0x2d;
/** Where the next id is written: one string is made of it, instead of one for every piece. */
const text = Buffer.alloc(36, hyphen);

/** Writes 16 bits as four digits. */
function writeHex(value: number, at: number): void {
  const high = (value >>> 7) & 0x1fe;
  const low = (value << 1) & 0x1fe;
  text[at] = pairs[high]!;
  text[at + 1] = pairs[high + 1]!;
  text[at + 2] = pairs[low]!;
  text[at + 3] = pairs[low + 1]!;
}

/** `toString('latin1')` without its argument checks; undeclared in Node's types, present in every version. */
const latin1Text = text as Buffer & { latin1Slice(start: number, end: number): string };

/**
 * Makes an `x-request-id`: a random UUID of version 4 (RFC 9562, 5.4). Its 15th character is `4`, which Envoy reads as
 * "no tracing decision".
 */
export function newRequestId(random: Random): string {
  const a = random.uint32();
  const b = random.uint32();
  const c = random.uint32();
  const d = random.uint32();
  writeHex(a >>> 16, 0);
  writeHex(a, 4);
  writeHex(b >>> 16, 9);
  writeHex((b & 0x0fff) | 0x4000, 14);
  writeHex(((c >>> 16) & 0x3fff) | 0x8000, 19);
  writeHex(c, 24);
  writeHex(d >>> 16, 28);
  writeHex(d, 32);
  return latin1Text.latin1Slice(0, text.length);
}
