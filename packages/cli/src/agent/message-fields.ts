// Looks into encoded messages without decoding them: what is relayed may be megabytes, and is passed on as it came.
import { BinaryReader } from '@heddle/xds/wire/binary-reader.ts';
import { WireError } from '@heddle/xds/wire/wire-error.ts';

const lengthDelimited = 2;

/**
 * The bytes of the last top-level field `number` of a message, which must be a string, bytes or a message; undefined where there
 * is none. They are part of the message's own. Throws a `WireError` where it is no message.
 */
export function fieldOf(message: Uint8Array, number: number): Uint8Array | undefined {
  const reader = new BinaryReader(message);
  let found: Uint8Array | undefined;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if ((tag & 7) !== lengthDelimited) {
      reader.skip(tag);
      continue;
    }
    const length = reader.uint32();
    const start = reader.pos;
    if (length > reader.len - start) throw new WireError('A field ends behind its message.');
    reader.pos = start + length;
    if (tag >>> 3 === number) found = message.subarray(start, reader.pos);
  }
  return found;
}

/** The same as text; empty where there is none. */
export function textOf(message: Uint8Array, number: number): string {
  const bytes = fieldOf(message, number);
  return bytes === undefined ? '' : Buffer.from(bytes).toString('utf8');
}
