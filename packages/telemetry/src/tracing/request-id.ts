// Hot path.
import type { Random } from '@heddle/base';
import { hex32, hexByte } from './hex.ts';

/**
 * Makes an `x-request-id`: a random UUID of version 4 (RFC 9562, 5.4). Its 15th character is `4`, which Envoy reads as
 * "no tracing decision".
 */
export function newRequestId(random: Random): string {
  const a = random.uint32();
  const b = random.uint32();
  const c = random.uint32();
  return `${hex32(a)}-${hexByte[b >>> 24]!}${hexByte[(b >>> 16) & 0xff]!}-4${hexByte[(b >>> 8) & 0xff]![1]!}${
    hexByte[b & 0xff]!
  }-${hexByte[((c >>> 24) & 0x3f) | 0x80]!}${hexByte[(c >>> 16) & 0xff]!}-${hexByte[(c >>> 8) & 0xff]!}${
    hexByte[c & 0xff]!
  }${hex32(random.uint32())}`;
}
