// Hot path.

const noBytes = Buffer.alloc(0);
const leastBytes = 1024;

/** Bytes that came before anybody could use them: of a head in parts, or of requests sent ahead. Empty, it owns no memory. */
export class PendingBytes {
  /** The first `length` of these. */
  bytes: Buffer = noBytes;
  length = 0;

  /** Adds `buffer[start, end)`, which may be part of these very bytes. */
  add(buffer: Buffer, start: number, end: number): void {
    const needed = this.length + end - start;
    if (needed > this.bytes.length) {
      // Doubling, so that a head sent byte by byte costs no more than one sent at once.
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2, leastBytes));
      this.bytes.copy(larger, 0, 0, this.length);
      buffer.copy(larger, this.length, start, end);
      this.bytes = larger;
    } else {
      // Within the same memory this moves what is left to the front; copy handles the overlap.
      buffer.copy(this.bytes, this.length, start, end);
    }
    this.length = needed;
  }

  /** Makes room for so many bytes, so that adding them moves none. */
  reserve(length: number): void {
    if (this.length === 0 && length > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(length);
  }

  clear(): void {
    this.bytes = noBytes;
    this.length = 0;
  }
}
