/** Where two values differ, as paths of fields. */
import { isDeepStrictEqual } from 'node:util';

/** A field that differs; `before` or `after` is absent where the field is. */
export interface FieldChange {
  /** Such as `spec.http[0].timeout`. */
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

type Mapping = Readonly<Record<string, unknown>>;

const plainKey = /^[A-Za-z_@][\w-]*$/;

/**
 * The smallest parts in which two JSON-like values differ, in the order of the fields. Items of a list that all have a name are
 * compared by it where `byName` is set, and stand in the path with it; others by their place, after what is the same at
 * both ends.
 */
export function compareFields(before: unknown, after: unknown, byName = false): FieldChange[] {
  const changes: FieldChange[] = [];
  compare(before, after, '', byName, changes);
  return changes;
}

function compare(before: unknown, after: unknown, path: string, byName: boolean, to: FieldChange[]): void {
  if (isDeepStrictEqual(before, after)) return;
  if (isMapping(before) && isMapping(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const step = plainKey.test(key) ? `${path === '' ? '' : '.'}${key}` : `[${JSON.stringify(key)}]`;
      compare(before[key], after[key], path + step, byName, to);
    }
    return;
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    if (byName && isNamed(before) && isNamed(after)) compareNamed(before, after, path, to);
    else compareItems(before, after, path, byName, to);
    return;
  }
  to.push({
    path,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  });
}

function compareNamed(
  before: readonly Mapping[],
  after: readonly Mapping[],
  path: string,
  to: FieldChange[],
): void {
  const old = new Map(before.map((item) => [item['name'] as string, item]));
  const fresh = new Map(after.map((item) => [item['name'] as string, item]));
  const length = to.length;
  for (const name of new Set([...old.keys(), ...fresh.keys()]))
    compare(old.get(name), fresh.get(name), `${path}[${name}]`, true, to);
  // The first rule that matches decides, so that their order is a difference, too.
  if (to.length === length) to.push({ path, before: [...old.keys()], after: [...fresh.keys()] });
}

function compareItems(
  before: readonly unknown[],
  after: readonly unknown[],
  path: string,
  byName: boolean,
  to: FieldChange[],
): void {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && isDeepStrictEqual(before[start], after[start])) start++;
  let end = 0;
  while (end < shorter - start && isDeepStrictEqual(before.at(-1 - end), after.at(-1 - end))) end++;
  const last = Math.max(before.length, after.length) - end;
  for (let index = start; index < last; index++) {
    const old = index < before.length - end ? before[index] : undefined;
    const fresh = index < after.length - end ? after[index] : undefined;
    compare(old, fresh, `${path}[${index}]`, byName, to);
  }
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether every item has a name of its own. */
function isNamed(list: readonly unknown[]): list is readonly Mapping[] {
  const names = list.map((item) => (isMapping(item) ? item['name'] : undefined));
  return (
    names.every((name) => typeof name === 'string' && name !== '') && new Set(names).size === names.length
  );
}
