import { Field } from '../codec/field.ts';
import type { FieldList } from '../codec/field-list.ts';

interface Message {
  replaced: readonly string[] | null;
  readonly added: FieldList;
}

/** Tells how often a request was sent, in place of what the message says of it. */
export function tellAttempts(message: Message, attempts: number): void {
  tell(message, 'x-envoy-attempt-count', String(attempts));
}

/** Tells whether a retry follows a timeout. */
export function tellTimeoutRetry(message: Message, followsTimeout: boolean): void {
  tell(message, 'x-envoy-is-timeout-retry', String(followsTimeout));
}

function tell(message: Message, name: string, value: string): void {
  const { replaced, added } = message;
  if (replaced?.includes(name) !== true) message.replaced = replaced === null ? [name] : [...replaced, name];
  added.remove(name);
  added.add(new Field(name, value));
}
