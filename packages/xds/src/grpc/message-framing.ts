// gRPC's message framing (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message"):
// one byte that says whether the message is compressed, four bytes of length, the message.

const headerBytes = 5;

/** Why a peer's bytes are no gRPC messages. */
export type FramingError = 'compressed' | 'too-large';

/** Puts a message into its frame. */
export function frameMessage(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, headerBytes);
  return frame;
}

/** Cuts a stream of bytes, however it arrives, into messages. */
export class MessageDeframer {
  private readonly maxBytes: number;
  private readonly onMessage: (message: Uint8Array) => void;
  private readonly header = Buffer.alloc(headerBytes);
  private headerFilled = 0;
  /** The message that has begun, or null between messages. */
  private body: Buffer | null = null;
  private bodyFilled = 0;
  private failure: FramingError | null = null;

  constructor(maxBytes: number, onMessage: (message: Uint8Array) => void) {
    this.maxBytes = maxBytes;
    this.onMessage = onMessage;
  }

  /** Whether the bytes so far end between two messages. */
  get isAtBoundary(): boolean {
    return this.headerFilled === 0;
  }

  /**
   * Takes a chunk and hands over the messages it completes; a message that lies in one chunk whole is not copied. Not null
   * when the bytes are no messages: nothing is taken any more then.
   */
  push(chunk: Buffer): FramingError | null {
    let offset = 0;
    while (this.failure === null && offset < chunk.length) {
      offset = this.body === null ? this.takeHeader(chunk, offset) : this.takeBody(chunk, offset);
    }
    return this.failure;
  }

  private takeHeader(chunk: Buffer, offset: number): number {
    const taken = chunk.copy(
      this.header,
      this.headerFilled,
      offset,
      offset + headerBytes - this.headerFilled,
    );
    this.headerFilled += taken;
    const next = offset + taken;
    if (this.headerFilled < headerBytes) return next;
    const length = this.header.readUInt32BE(1);
    if (this.header[0] !== 0) this.failure = 'compressed';
    else if (length > this.maxBytes) this.failure = 'too-large';
    else if (chunk.length - next >= length) {
      this.headerFilled = 0;
      this.onMessage(chunk.subarray(next, next + length));
      return next + length;
    } else {
      this.body = Buffer.allocUnsafeSlow(length);
      this.bodyFilled = 0;
    }
    return next;
  }

  private takeBody(chunk: Buffer, offset: number): number {
    const body = this.body!;
    const taken = chunk.copy(body, this.bodyFilled, offset);
    this.bodyFilled += taken;
    if (this.bodyFilled === body.length) {
      this.body = null;
      this.headerFilled = 0;
      this.onMessage(body);
    }
    return offset + taken;
  }
}
