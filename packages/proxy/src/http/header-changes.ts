// Hot path.
import { HeaderAction, type HeaderMutation } from '../routing/header-mutation.ts';
import type { HeadChanges } from '../http1/head-writer.ts';
import { lineValue, withoutLine } from './header-lines.ts';

/** Where the fields of a message can be read: all values joined, null where there is none. */
export interface FieldSource {
  header(lowerCaseName: string): string | null;
}

/**
 * Applies a route's changes, in list order, to the fields of `source` and to `added`, the lines that the proxy adds by
 * itself. `leftOut` are the names (lower case) of fields that it leaves out, null for none.
 */
export function headChanges(
  source: FieldSource,
  leftOut: readonly string[] | null,
  mutations: readonly HeaderMutation[] | null,
  added: string,
): HeadChanges {
  if (mutations === null) return { replaced: leftOut, added };
  const replaced: string[] = leftOut === null ? [] : [...leftOut];
  let lines = added;
  for (const { action, name, value } of mutations) {
    const isPresent =
      lineValue(lines, name) !== null || (!replaced.includes(name) && source.header(name) !== null);
    const replaces =
      action === HeaderAction.remove ||
      action === HeaderAction.overwrite ||
      (action === HeaderAction.overwriteIfExists && isPresent);
    if (replaces) {
      replaced.push(name);
      lines = withoutLine(lines, name);
    }
    const adds =
      action === HeaderAction.append ||
      (action === HeaderAction.addIfAbsent && !isPresent) ||
      (replaces && action !== HeaderAction.remove);
    if (adds) lines += `${name}: ${value}\r\n`;
  }
  return { replaced, added: lines };
}
