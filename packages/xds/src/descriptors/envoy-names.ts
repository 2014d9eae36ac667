// What the full Envoy API calls the fields that our trimmed messages don't have. Read from disk when something is refused.
import { readFileSync } from 'node:fs';

interface Table {
  readonly fields: Readonly<Record<string, string>>;
  readonly others: Readonly<Record<string, 1>>;
}

let table: Table | null = null;

function load(): Table {
  // Written by our own generator.
  table ??= JSON.parse(
    readFileSync(new URL('../generated/envoy-names.json', import.meta.url), 'utf8'),
  ) as Table;
  return table;
}

/** The names that the full Envoy API gives the fields of a message, by number. Empty for messages that are not Envoy's. */
export function envoyFieldNames(message: string): ReadonlyMap<number, string> {
  const text = Object.hasOwn(load().fields, message) ? load().fields[message] : undefined;
  if (text === undefined || text === '') return new Map();
  return new Map(
    text.split(',').map((entry) => {
      const space = entry.indexOf(' ');
      return [Number(entry.slice(0, space)), entry.slice(space + 1)];
    }),
  );
}

/** Whether the full Envoy API has a configuration message of this name that we don't have. */
export function isEnvoyMessage(name: string): boolean {
  return Object.hasOwn(load().others, name);
}
