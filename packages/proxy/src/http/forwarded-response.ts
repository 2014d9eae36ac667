// Hot path.
import { writeResponseHead } from '../http1/head-writer.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { RouteMatch } from '../routing/route-match.ts';
import { headChanges } from './header-changes.ts';
import type { HttpSettings, ProxyContext } from './http-settings.ts';

/** The head of the response as it goes to the client: what came, changed as listener and route say. */
export function forwardedResponse(
  head: ResponseHead,
  route: RouteMatch<unknown>,
  isChunked: boolean,
  closes: boolean,
  serviceTimeMs: number,
  settings: HttpSettings,
  context: ProxyContext,
): string {
  const { setsServer } = settings;
  const addsServer = setsServer === 'overwrite' || (setsServer === 'append-if-absent' && !head.hasServer);
  let added = addsServer ? settings.serverLine : '';
  if (settings.addsEnvoyHeaders) added += `x-envoy-upstream-service-time: ${serviceTimeMs}\r\n`;
  if (!head.hasDate) added += `date: ${context.date.now()}\r\n`;
  if (isChunked) added += 'transfer-encoding: chunked\r\n';
  if (closes) added += 'connection: close\r\n';
  return writeResponseHead(head, settings.responseFilter, headChanges(head, route.responseHeaders, added));
}
