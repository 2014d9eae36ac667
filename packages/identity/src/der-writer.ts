/**
 * As much of DER (X.690) as a certificate request needs. `node:crypto` exports keys and makes signatures in DER; only
 * what stands around them is written here.
 */

export const DerTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Tag of a context-specific element `[number]`, primitive. */
export function contextTag(number: number): number {
  return 0x80 | number;
}

/** Tag of a context-specific element `[number]` that holds other elements. */
export function contextConstructedTag(number: number): number {
  return 0xa0 | number;
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

/** One element: tag, definite length in the fewest bytes, content. */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(length)]), ...content]);
}

/** An INTEGER of one byte, 0 to 127. */
export function derSmallInteger(value: number): Buffer {
  return der(DerTag.integer, Buffer.from([value]));
}

/** BOOLEAN TRUE; FALSE is always a default and left out. */
export function derTrue(): Buffer {
  return der(DerTag.boolean, Buffer.from([0xff]));
}

/** A BIT STRING of whole bytes. */
export function derBitString(bytes: Uint8Array): Buffer {
  return der(DerTag.bitString, Buffer.from([0]), bytes);
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function derObjectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const septets = [arc % 128];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128)) {
      septets.unshift(0x80 | (high % 128));
    }
    bytes.push(...septets);
  }
  return der(DerTag.objectIdentifier, Buffer.from(bytes));
}
