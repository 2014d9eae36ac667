/** DNS over TCP (RFC 1035 §4.2.2): each message behind its length in two bytes. */
export function frameMessage(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(message.length + 2);
  frame.writeUInt16BE(message.length, 0);
  message.copy(frame, 2);
  return frame;
}

/** Cuts a stream into messages, however its bytes arrive; it never holds more than one message. */
export class FrameReader {
  private held = Buffer.alloc(0);

  /** Takes bytes and gives the messages that they complete. */
  push(buffer: Buffer, start: number, end: number): Buffer[] {
    this.held = Buffer.concat([this.held, buffer.subarray(start, end)]);
    const messages: Buffer[] = [];
    for (;;) {
      if (this.held.length < 2) return messages;
      const length = this.held.readUInt16BE(0);
      if (this.held.length < 2 + length) return messages;
      messages.push(this.held.subarray(2, 2 + length));
      this.held = this.held.subarray(2 + length);
    }
  }
}
