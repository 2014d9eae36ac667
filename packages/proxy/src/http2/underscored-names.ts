// Fields whose names hold `_` (Envoy's `headers_with_underscores_action`).
import type { FieldList } from '../codec/field-list.ts';
import { FieldRule, rulesOf } from './field-rules.ts';

export function hasUnderscoredName(list: FieldList): boolean {
  for (let i = 0; i < list.length; i++) {
    if ((rulesOf(list.fields[i]!) & FieldRule.underscore) !== 0) return true;
  }
  return false;
}

/** Takes them out; returns how many. */
export function dropUnderscoredNames(list: FieldList): number {
  let kept = 0;
  for (let i = 0; i < list.length; i++) {
    const field = list.fields[i]!;
    if ((rulesOf(field) & FieldRule.underscore) === 0) list.fields[kept++] = field;
  }
  const dropped = list.length - kept;
  list.length = kept;
  return dropped;
}
