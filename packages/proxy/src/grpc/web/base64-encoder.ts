// Hot path.
// Base64 (RFC 4648 §4) as gRPC-Web's clients get it: each message is a piece with padding of its own, so that it can be read
// when it has come and needn't wait for the next.

import { MessageCounter } from '../message-counter.ts';

const alphabet = Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', 'latin1');
const padding = 0x3d;

/** How many characters come of `length` more bytes at most: of messages without content, 8 of 5 bytes. */
export function maxEncodedBytes(length: number): number {
  return 2 * length + 8;
}

/** Encodes the messages of one direction of a call, however its bytes are cut. */
export class Base64Encoder {
  private readonly messages = new MessageCounter();
  /** Bytes that don't make a group of three yet: how many, and which. */
  private kept = 0;
  private group = 0;

  reset(): void {
    this.messages.reset();
    this.kept = 0;
    this.group = 0;
  }

  /**
   * Encodes `input[start, end)` to `output` from `at` on, which has room for `maxEncodedBytes`. Returns the position behind
   * the last character. The last bytes of a message that goes on are kept until there are three.
   */
  encode(input: Uint8Array, start: number, end: number, output: Uint8Array, at: number): number {
    let from = start;
    let to = at;
    while (from < end) {
      const messageEnd = this.messages.takeMessage(input, from, end);
      to = this.encodePart(input, from, messageEnd, output, to);
      if (this.messages.isBetweenMessages) to = this.finish(output, to);
      from = messageEnd;
    }
    return to;
  }

  /** Ends a piece: writes what was kept, and its padding (at most four characters). */
  finish(output: Uint8Array, at: number): number {
    const { kept, group } = this;
    this.kept = 0;
    this.group = 0;
    if (kept === 0) return at;
    const bits = kept === 1 ? group << 16 : group << 8;
    output[at] = alphabet[bits >> 18]!;
    output[at + 1] = alphabet[(bits >> 12) & 63]!;
    output[at + 2] = kept === 1 ? padding : alphabet[(bits >> 6) & 63]!;
    output[at + 3] = padding;
    return at + 4;
  }

  private encodePart(input: Uint8Array, start: number, end: number, output: Uint8Array, at: number): number {
    let from = start;
    let to = at;
    while (from < end && (this.kept > 0 || end - from < 3)) {
      this.group = (this.group << 8) | input[from++]!;
      if (++this.kept < 3) continue;
      to = writeGroup(this.group, output, to);
      this.kept = 0;
      this.group = 0;
    }
    while (end - from >= 3) {
      to = writeGroup((input[from]! << 16) | (input[from + 1]! << 8) | input[from + 2]!, output, to);
      from += 3;
    }
    while (from < end) {
      this.group = (this.group << 8) | input[from++]!;
      this.kept++;
    }
    return to;
  }
}

function writeGroup(bits: number, output: Uint8Array, at: number): number {
  output[at] = alphabet[bits >> 18]!;
  output[at + 1] = alphabet[(bits >> 12) & 63]!;
  output[at + 2] = alphabet[(bits >> 6) & 63]!;
  output[at + 3] = alphabet[bits & 63]!;
  return at + 4;
}
