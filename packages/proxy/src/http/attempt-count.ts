import { Field } from '../codec/field.ts';
import type { FieldList } from '../codec/field-list.ts';

const name = 'x-envoy-attempt-count';

/** Tells how often a request was sent, in place of what the message says of it. */
export function tellAttempts(
  message: { replaced: readonly string[] | null; readonly added: FieldList },
  attempts: number,
): void {
  const { replaced, added } = message;
  if (replaced?.includes(name) !== true) message.replaced = replaced === null ? [name] : [...replaced, name];
  added.remove(name);
  added.add(new Field(name, String(attempts)));
}
