// Hot path.
import type { AccessLogEntry } from '@heddle/telemetry';
import { Field } from '../codec/field.ts';
import { FieldId } from '../codec/field-name.ts';
import type { RequestHeadView } from '../codec/message-view.ts';
import type { OutgoingRequest } from '../codec/outgoing-request.ts';
import { formatGrpcTimeout } from '../grpc/timeout-header.ts';
import { rewrittenHost } from '../routing/host-rewrite.ts';
import { rewritePath } from '../routing/path-rewrite.ts';
import type { RouteMatch } from '../routing/route-match.ts';
import { headChanges } from './header-changes.ts';
import type { HttpSettings, ProxyContext } from './http-settings.ts';
import type { IncomingRequest } from './incoming-request.ts';

const trailersField = new Field('te', 'trailers');
const continueField = new Field('expect', '100-continue');

/** Fills `outgoing` with the request as it goes upstream: what came, changed as listener and route say. */
export function forwardRequest(
  outgoing: OutgoingRequest,
  head: RequestHeadView,
  request: IncomingRequest,
  route: RouteMatch<unknown>,
  timeoutMs: number,
  isPassthrough: boolean,
  settings: HttpSettings,
  context: ProxyContext,
  /** Of the endpoint that it goes to; may be empty. */
  endpointName: string,
  /** What fields with formats tell. */
  entry: AccessLogEntry,
): void {
  const { addsEnvoyHeaders } = settings;
  const { added } = request;
  if (request.acceptsTrailers) added.add(trailersField);
  if (head.expectsContinue && settings.server.forwardsExpectation) added.add(continueField);
  if (settings.server.takesTrailers) {
    const trailers = head.joinedById(FieldId.trailer);
    if (trailers !== null && trailers !== '') added.add(new Field('trailer', trailers));
  }
  if (isPassthrough) added.add(new Field('via', `1.1 ${context.viaName}`));
  if (timeoutMs > 0 && addsEnvoyHeaders) added.add(timeoutField(timeoutMs));
  let replaced = headChanges(request, request.replaced, route.requestHeaders, added, entry, 'request');
  let { path, authority } = request;
  if (route.pathRewrite !== null && path !== '') {
    if (addsEnvoyHeaders) {
      replaced = withName(replaced, 'x-envoy-original-path');
      added.add(new Field('x-envoy-original-path', path));
    }
    path = rewritePath(route.pathRewrite, path);
  }
  const host = route.hostRewrite === null ? null : rewrittenHost(route.hostRewrite, request, endpointName);
  if (host !== null) {
    if (route.appendsForwardedHost) {
      const earlier = request.header('x-forwarded-host') ?? '';
      if (lastItem(earlier) !== authority) {
        replaced = withName(replaced, 'x-forwarded-host');
        added.add(new Field('x-forwarded-host', `${earlier === '' ? '' : `${earlier},`}${authority}`));
      }
    }
    if (addsEnvoyHeaders) {
      replaced = withName(replaced, 'x-envoy-original-host');
      added.add(new Field('x-envoy-original-host', authority));
    }
    authority = host;
  }
  // Written anew, or not at all, by a codec that frames the body itself.
  if (outgoing.bodyKind !== head.bodyKind) replaced = withName(replaced, 'transfer-encoding');
  outgoing.head = head;
  outgoing.path = path;
  outgoing.authority = authority;
  outgoing.scheme = request.scheme;
  outgoing.filter = request.fieldFilter(host !== null);
  outgoing.replaced = replaced;
  outgoing.added = added;
  request.onForwarded(path, authority, replaced);
}

/** Changes what is different when the request is sent once more: the endpoint's name, and the time that is left. */
export function forwardAgain(
  outgoing: OutgoingRequest,
  request: IncomingRequest,
  route: RouteMatch<unknown>,
  leftMs: number,
  endpointName: string,
): void {
  const { added } = outgoing;
  if (added.has(timeoutName)) {
    added.remove(timeoutName);
    added.add(new Field(timeoutName, String(Math.max(0, Math.trunc(leftMs)))));
  }
  if (route.grpcTimeout?.kind === 'response' && added.has('grpc-timeout')) {
    added.remove('grpc-timeout');
    added.add(new Field('grpc-timeout', formatGrpcTimeout(Math.max(1, leftMs))));
  }
  if (route.hostRewrite?.kind !== 'endpoint' || endpointName === '') return;
  outgoing.authority = endpointName;
  outgoing.filter = request.fieldFilter(true);
}

const timeoutName = 'x-envoy-expected-rq-timeout-ms';
/** The last timeout that was told, as a rule that of the only route. */
let lastTimeout = new Field(timeoutName, '15000');
let lastTimeoutMs = 15_000;

function timeoutField(timeoutMs: number): Field {
  if (timeoutMs !== lastTimeoutMs) {
    lastTimeoutMs = timeoutMs;
    lastTimeout = new Field(timeoutName, String(timeoutMs));
  }
  return lastTimeout;
}

/** What stands behind the last comma. */
function lastItem(list: string): string {
  return list.slice(list.lastIndexOf(',') + 1);
}

function withName(names: readonly string[] | null, name: string): readonly string[] {
  return names === null ? [name] : [...names, name];
}
