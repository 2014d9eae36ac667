/** What rows can be sorted by; null comes last both ways. */
export type SortValue = string | number | null;

const names = new Intl.Collator('en', { numeric: true });

/** A sorted copy; rows with equal values keep their order, and `v10` comes after `v9`. */
export function sortRows<Row>(
  rows: readonly Row[],
  valueOf: (row: Row) => SortValue,
  isDescending: boolean,
): Row[] {
  return [...rows].sort((first, second) => {
    const a = valueOf(first);
    const b = valueOf(second);
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    const order =
      typeof a === 'number' && typeof b === 'number' ? a - b : names.compare(String(a), String(b));
    return isDescending ? -order : order;
  });
}
