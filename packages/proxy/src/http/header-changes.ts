// Hot path.
import type { AccessLogEntry, FormattedMessage, HeaderFormat, HeaderSource } from '@heddle/telemetry';
import type { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { HeaderAction, type HeaderMutation } from '../routing/header-mutation.ts';
import { headerValueOf } from '../routing/header-syntax.ts';

/** Where the fields of a message can be read. */
export interface FieldSource {
  /** All values of a field joined, null where there is none. */
  header(lowerCaseName: string): string | null;
  /** The value number `index`, from 0; null where there are fewer. */
  headerValue(lowerCaseName: string, index: number): string | null;
}

const noValues: readonly string[] = [];

/** Those of a message that has none yet. */
export const noFields: FieldSource = { header: () => null, headerValue: () => null };

/**
 * Applies a route's changes, in list order, to the fields of `source` and to `added`, what the proxy adds by itself.
 * `leftOut` are the names (lower case) of fields that it leaves out, null for none; answers with them and those that the
 * changes leave out or write anew. `entry` is what formats tell of the exchange that the message belongs to. Only values that differ from request to request cost more than adding a field.
 */
export function headChanges(
  source: FieldSource,
  leftOut: readonly string[] | null,
  mutations: readonly HeaderMutation[] | null,
  added: FieldList,
  entry: AccessLogEntry,
  kind: FormattedMessage,
): readonly string[] | null {
  if (mutations === null) return leftOut;
  const replaced: string[] = leftOut === null ? [] : [...leftOut];
  let values = noValues;
  for (const mutation of mutations) {
    const { action, name, formats } = mutation;
    if (formats !== null)
      values = valuesOf(formats, entry, new FieldsNow(source, replaced, added, entry, kind));
    let { field } = mutation;
    if (mutation.value >= 0) {
      const value = values[mutation.value]!;
      if (value === '' && !mutation.keepsEmpty) continue;
      field = new Field(name, value);
    }
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
    if (adds) added.add(field!);
  }
  return replaced;
}

function valuesOf(formats: readonly HeaderFormat[], entry: AccessLogEntry, fields: FieldsNow): string[] {
  const values: string[] = [];
  for (let i = 0; i < formats.length; i++) values.push(headerValueOf(formats[i]!(entry, fields)));
  return values;
}

/** A message's fields in the middle of its changes. */
class FieldsNow implements HeaderSource {
  private readonly source: FieldSource;
  private readonly replaced: readonly string[];
  private readonly added: FieldList;
  private readonly entry: AccessLogEntry;
  private readonly kind: FormattedMessage;

  constructor(
    source: FieldSource,
    replaced: readonly string[],
    added: FieldList,
    entry: AccessLogEntry,
    kind: FormattedMessage,
  ) {
    this.source = source;
    this.replaced = replaced;
    this.added = added;
    this.entry = entry;
    this.kind = kind;
  }

  requestHeader(name: string): string | null {
    // Host goes on as `:authority`, whatever the field said.
    const isOfMessage = this.kind === 'request' && name.charCodeAt(0) !== 0x3a && name !== 'host';
    return isOfMessage ? this.now(name) : this.entry.requestHeader(name);
  }

  responseHeader(name: string): string | null {
    if (name === ':status') return this.entry.responseHeader(name);
    return this.kind === 'response' ? this.now(name) : null;
  }

  private now(name: string): string | null {
    const came = this.replaced.includes(name) ? null : this.source.headerValue(name, 0);
    return came ?? this.added.value(name);
  }
}
