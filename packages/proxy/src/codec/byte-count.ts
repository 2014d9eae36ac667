/** A running sum of bytes: a `Counter`, as a rule. */
export interface ByteCount {
  value: number;
}

/** For bytes that somebody else counts. */
export const uncounted: ByteCount = { value: 0 };
