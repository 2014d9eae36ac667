import { randomBytes } from 'node:crypto';

/**
 * A serial number of 16 random bytes in hexadecimal (RFC 5280 §4.1.2.2 allows 20). The two highest bits are fixed, so
 * that the number is positive and has no leading zeros in any encoding.
 */
export function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
}

/** A moment as certificates can say it: whole seconds, rounded down. */
export function wholeSecond(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}
