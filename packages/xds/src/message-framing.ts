// gRPC's message framing (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message"):
// one byte that says whether the message is compressed, four bytes of length, the message.

const headerBytes = 5;

/** Why a peer's bytes are no gRPC messages. */
export type FramingError = 'compressed' | 'too-large';

/** Puts a message into its frame. */
export function frameMessage(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headerBytes + message.length);
  writeHeader(frame, message);
  frame.set(message, headerBytes);
  return frame;
}

/** What goes before a message, for who writes the two one after the other. */
export function messageHeader(message: Uint8Array): Buffer {
  const header = Buffer.allocUnsafe(headerBytes);
  writeHeader(header, message);
  return header;
}

function writeHeader(frame: Buffer, message: Uint8Array): void {
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
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
   * Takes `buffer[start, end)` and hands over copies of the messages it completes. Not null when the bytes are no messages:
   * nothing is taken any more then.
   */
  push(buffer: Buffer, start: number, end: number): FramingError | null {
    let at = start;
    while (this.failure === null && at < end) {
      at = this.body === null ? this.takeHeader(buffer, at, end) : this.takeBody(this.body, buffer, at, end);
    }
    return this.failure;
  }

  private takeHeader(buffer: Buffer, at: number, end: number): number {
    const taken = buffer.copy(
      this.header,
      this.headerFilled,
      at,
      Math.min(end, at + headerBytes - this.headerFilled),
    );
    this.headerFilled += taken;
    if (this.headerFilled < headerBytes) return end;
    const length = this.header.readUInt32BE(1);
    if (this.header[0] !== 0) this.failure = 'compressed';
    else if (length > this.maxBytes) this.failure = 'too-large';
    // Memory of its own: who keeps a piece of a message keeps that message and nothing else.
    else this.begin(Buffer.allocUnsafeSlow(length));
    return at + taken;
  }

  private begin(body: Buffer): void {
    this.body = body;
    this.bodyFilled = 0;
    if (body.length === 0) this.complete(body);
  }

  private takeBody(body: Buffer, buffer: Buffer, at: number, end: number): number {
    const taken = buffer.copy(body, this.bodyFilled, at, Math.min(end, at + body.length - this.bodyFilled));
    this.bodyFilled += taken;
    if (this.bodyFilled === body.length) this.complete(body);
    return at + taken;
  }

  private complete(body: Buffer): void {
    this.body = null;
    this.headerFilled = 0;
    this.onMessage(body);
  }
}
