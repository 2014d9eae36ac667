import { formatCount } from '../format/number.ts';
import type { ObjectWithStatus } from '../generated/api.ts';
import { Badge } from './badge.tsx';

/** What has become of an object, in a word. */
export function ObjectState({ object }: { readonly object: ObjectWithStatus }) {
  const { accepted, warnings } = object.status;
  if (!accepted) return <Badge tone="bad">refused</Badge>;
  if (warnings.length > 0) return <Badge tone="warning">{formatCount(warnings.length, 'warning')}</Badge>;
  return <Badge tone="good">accepted</Badge>;
}
