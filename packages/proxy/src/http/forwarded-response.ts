// Hot path.
import type { AccessLogEntry } from '@heddle/telemetry';
import { Field } from '../codec/field.ts';
import { FieldId } from '../codec/field-name.ts';
import type { ResponseHeadView } from '../codec/message-view.ts';
import type { OutgoingResponse } from '../codec/outgoing-response.ts';
import type { RouteMatch } from '../routing/route-match.ts';
import { headChanges } from './header-changes.ts';
import type { HttpSettings, ProxyContext } from './http-settings.ts';
import type { IncomingRequest } from './incoming-request.ts';

/** Fills `outgoing` with the response as it goes to the client: what came, changed as route and then listener say. */
export function forwardResponse(
  outgoing: OutgoingResponse,
  head: ResponseHeadView,
  request: IncomingRequest,
  route: RouteMatch<unknown>,
  /** Negative where it isn't known. */
  serviceTimeMs: number,
  settings: HttpSettings,
  context: ProxyContext,
  /** What fields with formats tell. */
  entry: AccessLogEntry,
): void {
  const { added } = outgoing;
  added.clear();
  if (settings.addsEnvoyHeaders && serviceTimeMs >= 0) added.add(serviceTimeField(serviceTimeMs));
  let replaced = headChanges(head, null, route.responseHeaders, added, entry, 'response');
  if (route.responseHeaders !== null) {
    // What the listener has the last word on.
    if (settings.setsServer === 'overwrite') added.remove('server');
    if (settings.returnsRequestId) added.remove('x-request-id');
  }
  if (
    settings.setsServer === 'overwrite' ||
    (settings.setsServer === 'append-if-absent' && !head.hasServer && !added.has('server'))
  ) {
    added.add(settings.serverField);
  }
  if (!head.hasDate && !added.has('date')) added.add(context.date.field());
  if (settings.returnsRequestId && request.requestId !== '') {
    replaced = withName(replaced, 'x-request-id');
    added.add(new Field('x-request-id', request.requestId));
  }
  if (settings.via !== '') {
    const earlier = head.header('via');
    if (earlier !== null) replaced = withName(replaced, 'via');
    added.add(new Field('via', `${earlier === null ? '' : `${earlier}, `}${settings.via}`));
  }
  if (settings.server.takesTrailers) {
    const trailers = head.joinedById(FieldId.trailer);
    if (trailers !== null && trailers !== '') added.add(new Field('trailer', trailers));
  }
  // Written anew, or not at all, by a codec that frames the body itself.
  if (outgoing.bodyKind !== head.bodyKind) replaced = withName(replaced, 'transfer-encoding');
  outgoing.head = head;
  outgoing.status = head.status;
  outgoing.filter = settings.responseFilter;
  outgoing.replaced = replaced;
}

const serviceTimeName = 'x-envoy-upstream-service-time';
/** Most requests take no longer than this many milliseconds: their fields are there already. */
const serviceTimes = Array.from({ length: 256 }, (_, ms) => new Field(serviceTimeName, String(ms)));

function serviceTimeField(ms: number): Field {
  return serviceTimes[ms] ?? new Field(serviceTimeName, String(ms));
}

function withName(names: readonly string[] | null, name: string): readonly string[] {
  return names === null ? [name] : [...names, name];
}
