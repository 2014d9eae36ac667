// Conditions of a policy between its YAML and Envoy's messages.

/**
 * One condition: one of `values` and none of `notValues`, where there are any. Null in the place of either: it can't be
 * decided where the policy is enforced.
 */
export interface Clause<T> {
  readonly values: readonly T[] | null;
  readonly notValues: readonly T[] | null;
}

/** Makes a condition; `make` returns null for a value about which nothing can be said. None for one without values. */
export function clause<T>(
  values: readonly string[] | undefined,
  notValues: readonly string[] | undefined,
  make: (value: string) => T | null,
): Clause<T>[] {
  const made = { values: makeAll(values ?? [], make), notValues: makeAll(notValues ?? [], make) };
  return made.values?.length === 0 && made.notValues?.length === 0 ? [] : [made];
}

function makeAll<T>(values: readonly string[], make: (value: string) => T | null): readonly T[] | null {
  const made = values.map(make);
  return made.includes(null) ? null : (made as readonly T[]);
}

/** How conditions are put together. */
export interface Connectives<T> {
  readonly and: (parts: readonly T[]) => T;
  readonly or: (parts: readonly T[]) => T;
  readonly not: (part: T) => T;
  readonly any: T;
}

/**
 * All conditions at once. What can't be decided is never in somebody's favour: where `allows`, all of it never holds, which
 * null says; where policies deny, what can't be decided is left out, so that they deny more.
 */
export function combine<T>(
  clauses: readonly Clause<T>[],
  allows: boolean,
  { and, or, not, any }: Connectives<T>,
): T | null {
  const parts: T[] = [];
  for (const { values, notValues } of clauses) {
    if (allows && (values === null || notValues === null)) return null;
    if (values !== null && values.length > 0) parts.push(values.length === 1 ? values[0]! : or(values));
    if (notValues !== null && notValues.length > 0)
      parts.push(not(notValues.length === 1 ? notValues[0]! : or(notValues)));
  }
  if (parts.length === 0) return any;
  return parts.length === 1 ? parts[0]! : and(parts);
}
