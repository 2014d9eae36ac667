import type { Connection } from '@heddle/proxy';

/** Kinds of frames between an in-memory RPC client and server. */
export const FrameType = {
  openStream: 1,
  call: 2,
  message: 3,
  halfClose: 4,
  status: 5,
  cancel: 6,
} as const;

/** Length of the payload, type, stream. */
const headBytes = 9;

/** Sends one frame; returns what the connection's `write` returned. */
export function sendFrame(
  connection: Connection,
  type: number,
  stream: number,
  payload: Uint8Array,
): boolean {
  const frame = Buffer.allocUnsafe(headBytes + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame.writeUInt8(type, 4);
  frame.writeUInt32BE(stream, 5);
  frame.set(payload, headBytes);
  return connection.write(frame, 0, frame.length);
}

/** Puts frames together from whatever pieces arrive. */
export class FrameReader {
  private readonly onFrame: (type: number, stream: number, payload: Uint8Array) => void;
  private held: Buffer = Buffer.alloc(0);

  constructor(onFrame: (type: number, stream: number, payload: Uint8Array) => void) {
    this.onFrame = onFrame;
  }

  push(buffer: Buffer, start: number, end: number): void {
    this.held = Buffer.concat([this.held, buffer.subarray(start, end)]);
    let position = 0;
    while (this.held.length - position >= headBytes) {
      const length = this.held.readUInt32BE(position);
      const next = position + headBytes + length;
      if (this.held.length < next) break;
      const payload = Uint8Array.from(this.held.subarray(position + headBytes, next));
      const type = this.held.readUInt8(position + 4);
      const stream = this.held.readUInt32BE(position + 5);
      position = next;
      this.onFrame(type, stream, payload);
    }
    this.held = this.held.subarray(position);
  }
}

/** A unary request or a status with a reply: a number, a text and bytes. */
export function packParts(code: number, text: string, bytes: Uint8Array): Uint8Array {
  const name = Buffer.from(text, 'utf8');
  const packed = Buffer.allocUnsafe(8 + name.length + bytes.length);
  packed.writeUInt32BE(code, 0);
  packed.writeUInt32BE(name.length, 4);
  packed.set(name, 8);
  packed.set(bytes, 8 + name.length);
  return packed;
}

export function unpackParts(packed: Uint8Array): { code: number; text: string; bytes: Uint8Array } {
  const view = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  const textEnd = 8 + view.readUInt32BE(4);
  return {
    code: view.readUInt32BE(0),
    text: view.toString('utf8', 8, textEnd),
    bytes: Uint8Array.from(view.subarray(textEnd)),
  };
}
