/** An encoded message cut up: a repeated field's items, and everything else. Each part is an encoded message itself. */
export interface SplitMessage {
  readonly rest: Uint8Array;
  /** Each with its tag: decoded as the same message it has one item in the field. */
  readonly items: readonly Uint8Array[];
}

/**
 * Cuts a length-delimited field out of an encoded message without decoding anything, so that a large message can be
 * decoded item by item. Null where the bytes are no message; the decoder then says why.
 */
export function splitMessage(bytes: Uint8Array, fieldNumber: number): SplitMessage | null {
  const items: Uint8Array[] = [];
  const others: Uint8Array[] = [];
  const cursor = { position: 0 };
  while (cursor.position < bytes.length) {
    const start = cursor.position;
    const tag = readVarint(bytes, cursor);
    if (!skipValue(bytes, cursor, tag & 7)) return null;
    const part = bytes.subarray(start, cursor.position);
    if (tag === ((fieldNumber << 3) | 2)) items.push(part);
    else others.push(part);
  }
  return { rest: others.length === 1 ? others[0]! : Buffer.concat(others), items };
}

interface Cursor {
  position: number;
}

/** Up to 32 bits; -1 at the end of the bytes. Longer ones are read to their end. */
function readVarint(bytes: Uint8Array, cursor: Cursor): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = bytes[cursor.position];
    if (byte === undefined) return -1;
    cursor.position++;
    if (shift < 35) value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  return -1;
}

function skipValue(bytes: Uint8Array, cursor: Cursor, wireType: number): boolean {
  switch (wireType) {
    case 0:
      return readVarint(bytes, cursor) >= 0;
    case 1:
      cursor.position += 8;
      break;
    case 2: {
      const length = readVarint(bytes, cursor);
      if (length < 0) return false;
      cursor.position += length;
      break;
    }
    case 5:
      cursor.position += 4;
      break;
    default:
      return false;
  }
  return cursor.position <= bytes.length;
}
