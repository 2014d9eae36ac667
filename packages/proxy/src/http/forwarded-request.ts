// Hot path.
import { writeRequestHead } from '../http1/head-writer.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { rewritePath } from '../routing/path-rewrite.ts';
import type { RouteMatch } from '../routing/route-match.ts';
import { headChanges } from './header-changes.ts';
import type { HttpSettings, ProxyContext } from './http-settings.ts';
import type { IncomingRequest } from './incoming-request.ts';

/** The head of the request as it goes upstream: what came, changed as listener and route say. */
export function forwardedRequest(
  head: RequestHead,
  request: IncomingRequest,
  route: RouteMatch<unknown>,
  timeoutMs: number,
  isPassthrough: boolean,
  settings: HttpSettings,
  context: ProxyContext,
): string {
  const { addsEnvoyHeaders } = settings;
  let added = request.lines;
  if (isPassthrough) added += `via: 1.1 ${context.viaName}\r\n`;
  if (timeoutMs > 0 && addsEnvoyHeaders) added += `x-envoy-expected-rq-timeout-ms: ${timeoutMs}\r\n`;
  const changes = headChanges(request, request.replaced, route.requestHeaders, added);
  let lines = changes.added;
  let { path, authority } = request;
  if (route.pathRewrite !== null) {
    if (addsEnvoyHeaders) lines += `x-envoy-original-path: ${path}\r\n`;
    path = rewritePath(route.pathRewrite, path);
  }
  if (route.hostRewrite !== null) {
    if (addsEnvoyHeaders) lines += `x-envoy-original-host: ${authority}\r\n`;
    authority = route.hostRewrite;
  }
  const filter = request.fieldFilter(route.hostRewrite !== null);
  request.onForwarded(lines, path, authority);
  return writeRequestHead(head, path, authority, filter, { replaced: changes.replaced, added: lines });
}
