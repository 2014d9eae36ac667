// Hot path: once per call.
import type { FieldList } from '../../codec/field-list.ts';
import type { Field } from '../../codec/field.ts';

/** Marks the frame that holds trailers (gRPC-Web, "Message framing"). */
const trailersFlag = 0x80;
const prefixBytes = 5;

/**
 * Trailers as a frame of the response's body: `name:value` lines, each ended by CRLF, behind a flag and a length. They are the
 * last bytes of the body.
 */
export function webTrailers(trailers: FieldList): Buffer {
  let length = 0;
  for (let i = 0; i < trailers.length; i++) length += lineLength(trailers.fields[i]!);
  const frame = Buffer.allocUnsafe(prefixBytes + length);
  frame[0] = trailersFlag;
  frame.writeUInt32BE(length, 1);
  let at = prefixBytes;
  for (let i = 0; i < trailers.length; i++) {
    const { name, value } = trailers.fields[i]!;
    at += frame.write(name, at, 'latin1');
    frame[at++] = 0x3a;
    at += frame.write(value, at, 'latin1');
    frame[at++] = 0x0d;
    frame[at++] = 0x0a;
  }
  return frame;
}

function lineLength({ name, value }: Field): number {
  return name.length + value.length + 3;
}
