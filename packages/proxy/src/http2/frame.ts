// Hot path.
// The layout of frames (RFC 9113 §4.1).
//
//   +-----------------------------------------------+
//   |                 Length (24)                   |
//   +---------------+---------------+---------------+
//   |   Type (8)    |   Flags (8)   |
//   +-+-------------+---------------+-------------------------------+
//   |R|                 Stream Identifier (31)                      |
//   +=+=============================================================+
//   |                   Frame Payload (0...)                      ...

/** Types of frames (RFC 9113 §6). Others are read over. */
export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags of frames; `ack` belongs to SETTINGS and PING, the others to DATA, HEADERS and CONTINUATION. */
export const FrameFlag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const frameHeaderBytes = 9;
/** The largest payload that every peer takes, and the largest that we take (SETTINGS_MAX_FRAME_SIZE, RFC 9113 §6.5.2). */
export const maxPayloadBytes = 16_384;
/** No window is larger (RFC 9113 §6.9.1), and no stream has a higher number. */
export const maxUint31 = 0x7fff_ffff;
/** Windows before anybody has said otherwise (RFC 9113 §6.9.2). */
export const initialWindowBytes = 65_535;
/** What a client says first (RFC 9113 §3.4). */
export const clientPreface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** Writes a frame's header at `at`; returns where its payload goes. */
export function writeFrameHeader(
  out: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  out[at] = length >>> 16;
  out[at + 1] = length >>> 8;
  out[at + 2] = length;
  out[at + 3] = type;
  out[at + 4] = flags;
  return writeUint32(out, at + 5, streamId);
}

/** Writes a number of 32 bits; returns the position behind it. */
export function writeUint32(out: Buffer, at: number, value: number): number {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
  return at + 4;
}

export function readUint16(buffer: Buffer, at: number): number {
  return (buffer[at]! << 8) | buffer[at + 1]!;
}

/** The 31 bits behind a reserved one. */
export function readUint31(buffer: Buffer, at: number): number {
  return ((buffer[at]! & 0x7f) << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
}

export function readUint32(buffer: Buffer, at: number): number {
  return readUint31(buffer, at) + (buffer[at]! >= 0x80 ? 0x8000_0000 : 0);
}
