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
const idLength = 36;
/** So many are made at once: one string for all of them, which costs more to make than its text. */
const batchSize = 32;

/**
 * Makes the values of `x-request-id`: random UUIDs of version 4 (RFC 9562, 5.4). Their 15th character is `4`, which Envoy
 * reads as "no tracing decision".
 */
export class RequestIds {
  private readonly random: Random;
  private readonly bytes = Buffer.alloc(batchSize * idLength, hyphen);
  private batch = '';
  private at = 0;

  constructor(random: Random) {
    this.random = random;
  }

  next(): string {
    if (this.at === this.batch.length) this.refill();
    const start = this.at;
    this.at = start + idLength;
    return this.batch.slice(start, this.at);
  }

  private refill(): void {
    const { random } = this;
    for (let at = 0; at < this.bytes.length; at += idLength) {
      const a = random.uint32();
      const b = random.uint32();
      const c = random.uint32();
      const d = random.uint32();
      this.writeHex(a >>> 16, at);
      this.writeHex(a, at + 4);
      this.writeHex(b >>> 16, at + 9);
      this.writeHex((b & 0x0fff) | 0x4000, at + 14);
      this.writeHex(((c >>> 16) & 0x3fff) | 0x8000, at + 19);
      this.writeHex(c, at + 24);
      this.writeHex(d >>> 16, at + 28);
      this.writeHex(d, at + 32);
    }
    this.batch = this.bytes.toString('latin1');
    this.at = 0;
  }

  /** Writes 16 bits as four digits. */
  private writeHex(value: number, at: number): void {
    const { bytes } = this;
    const high = (value >>> 7) & 0x1fe;
    const low = (value << 1) & 0x1fe;
    bytes[at] = pairs[high]!;
    bytes[at + 1] = pairs[high + 1]!;
    bytes[at + 2] = pairs[low]!;
    bytes[at + 3] = pairs[low + 1]!;
  }
}
