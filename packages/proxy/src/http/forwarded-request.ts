// Hot path.
import { newRequestId } from '@heddle/telemetry';
import { FieldId } from '../http1/field-name.ts';
import { writeRequestHead } from '../http1/head-writer.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { rewritePath } from '../routing/path-rewrite.ts';
import type { RouteMatch } from '../routing/route-match.ts';
import type { Connection } from '../transport/transport.ts';
import { headChanges } from './header-changes.ts';
import { ClientCertMode, type HttpSettings, type ProxyContext } from './http-settings.ts';

/** The head of the request as it goes upstream: what came, changed as listener and route say. */
export function forwardedRequest(
  head: RequestHead,
  route: RouteMatch<unknown>,
  isPassthrough: boolean,
  client: Connection,
  settings: HttpSettings,
  context: ProxyContext,
): string {
  let added = '';
  if (settings.useRemoteAddress) {
    const earlier = head.header('x-forwarded-for');
    added = `x-forwarded-for: ${earlier === null ? '' : `${earlier},`}${client.remoteAddress}\r\nx-forwarded-proto: ${settings.scheme}\r\n`;
  } else if (head.valueById(FieldId.forwardedProto) === '') {
    added = `x-forwarded-proto: ${settings.scheme}\r\n`;
  }
  if (settings.generateRequestId && (settings.useRemoteAddress || head.valueById(FieldId.requestId) === '')) {
    added += `x-request-id: ${newRequestId(context.random)}\r\n`;
  }
  if (settings.clientCertMode === ClientCertMode.sanitizeSet && client.peerIdentity !== '') {
    added += `x-forwarded-client-cert: By=${settings.ownIdentity};Hash=${client.peerFingerprint};URI=${client.peerIdentity}\r\n`;
  }
  if (isPassthrough) added += `via: 1.1 ${context.viaName}\r\n`;
  const { timeoutMs } = route;
  if (timeoutMs > 0 && settings.addsEnvoyHeaders) added += `x-envoy-expected-rq-timeout-ms: ${timeoutMs}\r\n`;
  const path = route.pathRewrite === null ? head.path : rewritePath(route.pathRewrite, head.path);
  const rewritesHost = head.isAbsoluteForm || route.hostRewrite !== null;
  const filter = rewritesHost ? settings.hostRewritingFilter : settings.requestFilter;
  const changes = headChanges(head, route.requestHeaders, added);
  return writeRequestHead(head, path, route.hostRewrite ?? head.authority, filter, changes);
}
