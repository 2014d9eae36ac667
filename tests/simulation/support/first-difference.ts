/** Where two logs part ways, in words; null where they are the same. */
export function firstDifference(one: readonly string[], other: readonly string[]): string | null {
  const count = Math.max(one.length, other.length);
  for (let index = 0; index < count; index++) {
    if (one[index] !== other[index]) {
      return `line ${index + 1}:\n${one[index] ?? '(end)'}\n${other[index] ?? '(end)'}`;
    }
  }
  return null;
}
