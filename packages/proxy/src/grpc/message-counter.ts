// Hot path.
// gRPC's framing (gRPC over HTTP/2, "Length-Prefixed-Message"): a byte of flags, four of length, the message. Nothing is
// kept but where in it the bytes so far end.

/** Bytes in front of a message. */
export const messagePrefixBytes = 5;

/** Follows the messages of one direction of a call, however its bytes are cut. */
export class MessageCounter {
  /** Messages begun so far: each counts with its first byte, as in Envoy. */
  count = 0;
  /** Bytes of the prefix seen; 0 between messages. */
  private prefixSeen = 0;
  /** What is still to come of the message; while the prefix is read, the length so far. */
  private length = 0;

  /** Forgets the last call. */
  reset(): void {
    this.count = 0;
    this.prefixSeen = 0;
    this.length = 0;
  }

  /** Whether the bytes so far end between two messages. */
  get isBetweenMessages(): boolean {
    return this.prefixSeen === 0;
  }

  /** Takes bytes; returns how many messages begin in them. */
  take(buffer: Uint8Array, start: number, end: number): number {
    const before = this.count;
    let at = start;
    while (at < end) at = this.takeMessage(buffer, at, end);
    return this.count - before;
  }

  /** Takes bytes up to the end of a message; returns the position behind it, or `end` where it goes on. `start < end`. */
  takeMessage(buffer: Uint8Array, start: number, end: number): number {
    let at = start;
    if (this.prefixSeen === 0) this.count++;
    while (this.prefixSeen < messagePrefixBytes) {
      if (at === end) return end;
      const byte = buffer[at++]!;
      // Flags, the first byte, are nobody's business here. Multiplied, since shifting makes numbers negative.
      if (this.prefixSeen > 0) this.length = this.length * 256 + byte;
      this.prefixSeen++;
    }
    if (end - at < this.length) {
      this.length -= end - at;
      return end;
    }
    at += this.length;
    this.length = 0;
    this.prefixSeen = 0;
    return at;
  }
}
