// Hot path.
import { trailerLine, writeRequestHead } from '../http1/head-writer.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { rewrittenHost } from '../routing/host-rewrite.ts';
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
  /** Upgrade to ask for, as its line; empty for none. */
  upgrade: string,
  /** Of the endpoint that it goes to; may be empty. */
  endpointName: string,
): string {
  const { addsEnvoyHeaders } = settings;
  let added = request.lines + upgrade;
  if (head.acceptsTrailers) added += 'te: trailers\r\n';
  if (head.expectsContinue && settings.server.forwardsExpectation) added += 'expect: 100-continue\r\n';
  if (settings.server.takesTrailers) added += trailerLine(head);
  if (isPassthrough) added += `via: 1.1 ${context.viaName}\r\n`;
  if (timeoutMs > 0 && addsEnvoyHeaders) added += `x-envoy-expected-rq-timeout-ms: ${timeoutMs}\r\n`;
  const changes = headChanges(request, request.replaced, route.requestHeaders, added);
  let { replaced, added: lines } = changes;
  let { path, authority } = request;
  if (route.pathRewrite !== null && path !== '') {
    if (addsEnvoyHeaders) {
      replaced = withName(replaced, 'x-envoy-original-path');
      lines += `x-envoy-original-path: ${path}\r\n`;
    }
    path = rewritePath(route.pathRewrite, path);
  }
  const host = route.hostRewrite === null ? null : rewrittenHost(route.hostRewrite, request, endpointName);
  if (host !== null) {
    if (route.appendsForwardedHost) {
      const earlier = request.header('x-forwarded-host') ?? '';
      if (lastItem(earlier) !== authority) {
        replaced = withName(replaced, 'x-forwarded-host');
        lines += `x-forwarded-host: ${earlier === '' ? '' : `${earlier},`}${authority}\r\n`;
      }
    }
    if (addsEnvoyHeaders) {
      replaced = withName(replaced, 'x-envoy-original-host');
      lines += `x-envoy-original-host: ${authority}\r\n`;
    }
    authority = host;
  }
  const filter = request.fieldFilter(host !== null);
  request.onForwarded(lines, path, authority);
  return writeRequestHead(head, path, authority, filter, { replaced, added: lines });
}

/** What stands behind the last comma. */
function lastItem(list: string): string {
  return list.slice(list.lastIndexOf(',') + 1);
}

function withName(names: readonly string[] | null, name: string): readonly string[] {
  return names === null ? [name] : [...names, name];
}
