// Hot path.
import { FieldId } from '../codec/field-name.ts';
import type { FieldList } from '../codec/field-list.ts';

/** What Content-Length says, in bytes, -1 where it is absent. The list has been checked: it has one at most, and a good one. */
export function contentLengthOf(fields: FieldList): number {
  for (let i = 0; i < fields.length; i++) {
    const field = fields.fields[i]!;
    if (field.fieldId === FieldId.contentLength) return Number(field.value);
  }
  return -1;
}
