import type { AccessLogEntry } from '@heddle/telemetry';
import type { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { BodyKind } from '../codec/message-view.ts';
import type { OutgoingResponse } from '../codec/outgoing-response.ts';
import type { HeaderMutation } from '../routing/header-mutation.ts';
import { headChanges, noFields } from './header-changes.ts';
import type { HttpSettings, ProxyContext } from './http-settings.ts';

/**
 * Fills `outgoing` with an answer that the proxy gives itself: `fields` and those that every answer has. `mutations` are
 * those of the route, where there is one. A `length` of -1 is an answer that ends with its head.
 */
export function localResponse(
  outgoing: OutgoingResponse,
  status: number,
  length: number,
  fields: FieldList,
  mutations: readonly HeaderMutation[] | null,
  settings: HttpSettings,
  context: ProxyContext,
  /** What fields with formats tell. */
  entry: AccessLogEntry,
): void {
  outgoing.clear();
  outgoing.status = status;
  outgoing.bodyKind = BodyKind.length;
  const { added } = outgoing;
  added.copy(fields);
  headChanges(noFields, null, mutations, added, entry, 'response');
  if (mutations !== null && settings.setsServer === 'overwrite') added.remove('server');
  if (length >= 0) added.add(new Field('content-length', String(length)));
  if (!added.has('date')) added.add(context.date.field());
  if (!added.has('server')) added.add(settings.serverField);
}
