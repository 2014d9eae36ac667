// Hot path.
import type { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { HeaderAction, type HeaderMutation } from '../routing/header-mutation.ts';

/** Where the fields of a message can be read: all values joined, null where there is none. */
export interface FieldSource {
  header(lowerCaseName: string): string | null;
}

/**
 * Applies a route's changes, in list order, to the fields of `source` and to `added`, what the proxy adds by itself.
 * `leftOut` are the names (lower case) of fields that it leaves out, null for none; answers with them and those that the
 * changes leave out or write anew.
 */
export function headChanges(
  source: FieldSource,
  leftOut: readonly string[] | null,
  mutations: readonly HeaderMutation[] | null,
  added: FieldList,
): readonly string[] | null {
  if (mutations === null) return leftOut;
  const replaced: string[] = leftOut === null ? [] : [...leftOut];
  for (const { action, name, value } of mutations) {
    const isPresent = added.has(name) || (!replaced.includes(name) && source.header(name) !== null);
    const replaces =
      action === HeaderAction.remove ||
      action === HeaderAction.overwrite ||
      (action === HeaderAction.overwriteIfExists && isPresent);
    if (replaces) {
      replaced.push(name);
      added.remove(name);
    }
    const adds =
      action === HeaderAction.append ||
      (action === HeaderAction.addIfAbsent && !isPresent) ||
      (replaces && action !== HeaderAction.remove);
    if (adds) added.add(new Field(name, value));
  }
  return replaced;
}
