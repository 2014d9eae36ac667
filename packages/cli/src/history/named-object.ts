import type { NamedObject } from '@heddle/control-plane';
import { usageError } from '../cli-error.ts';
import { findKind } from '../kinds.ts';

/** The object that `KIND NAME` or `KIND/NAME` means; undefined where nothing is said. */
export function namedObject(words: readonly string[], namespace: string): NamedObject | undefined {
  const [kindName = '', name = '', ...rest] = words.flatMap((word) => word.split('/'));
  if (kindName === '') return undefined;
  const kind = findKind(kindName);
  if (typeof kind === 'string')
    throw usageError(`${kind} have no history`, 'only what people write has one, such as virtualservices');
  if (name === '') throw usageError(`the name is missing: KIND NAME, such as ${kindName} reviews`);
  if (rest.length > 0) throw usageError(`'${rest[0]}' is too much: one object at a time`);
  return { kind: kind.plural, namespace, name };
}
