// Hot path.
// Writes integers with a prefix (RFC 7541 §5.1).

/**
 * Writes `value` to `out` at `at`: `mask` covers the bits of the first byte that belong to it, `first` holds the others.
 * Returns the position behind it.
 */
export function writeInteger(
  value: number,
  mask: number,
  first: number,
  out: Uint8Array,
  at: number,
): number {
  let position = at;
  if (value < mask) {
    out[position++] = first | value;
    return position;
  }
  out[position++] = first | mask;
  let rest = value - mask;
  while (rest >= 0x80) {
    out[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[position++] = rest;
  return position;
}
