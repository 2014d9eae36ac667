// Hot path.
import { trailerLine, writeResponseHead } from '../http1/head-writer.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { RouteMatch } from '../routing/route-match.ts';
import { headChanges } from './header-changes.ts';
import { lineValue, withoutLine } from './header-lines.ts';
import type { HttpSettings, ProxyContext } from './http-settings.ts';
import type { IncomingRequest } from './incoming-request.ts';

/** The head of the response as it goes to the client: what came, changed as route and then listener say. */
export function forwardedResponse(
  head: ResponseHead,
  request: IncomingRequest,
  route: RouteMatch<unknown>,
  /** The request that is answered. */
  client: RequestHead,
  isChunked: boolean,
  connectionLine: string,
  /** Negative where it isn't known. */
  serviceTimeMs: number,
  settings: HttpSettings,
  context: ProxyContext,
): string {
  const upstreamLines =
    settings.addsEnvoyHeaders && serviceTimeMs >= 0
      ? `x-envoy-upstream-service-time: ${serviceTimeMs}\r\n`
      : '';
  const changes = headChanges(head, null, route.responseHeaders, upstreamLines);
  const isChanged = route.responseHeaders !== null;
  let { replaced } = changes;
  let lines = isChanged ? overruled(changes.added, settings) : changes.added;
  if (addsServer(head, lines, settings)) lines += settings.serverLine;
  if (!head.hasDate && lineValue(lines, 'date') === null) lines += `date: ${context.date.now()}\r\n`;
  if (settings.returnsRequestId && request.requestId !== '') {
    replaced = replaced === null ? ['x-request-id'] : [...replaced, 'x-request-id'];
    lines += `x-request-id: ${request.requestId}\r\n`;
  }
  if (settings.via !== '') {
    const earlier = head.header('via');
    if (earlier !== null) replaced = replaced === null ? ['via'] : [...replaced, 'via'];
    lines += `via: ${earlier === null ? '' : `${earlier}, `}${settings.via}\r\n`;
  }
  if (isChunked) lines += 'transfer-encoding: chunked\r\n';
  if (settings.server.takesTrailers) lines += trailerLine(head);
  lines += connectionLine;
  if (client.minorVersion === 1)
    return writeResponseHead(head, settings.responseFilter, { replaced, added: lines }, 'HTTP/1.1');
  // HTTP/1.0 knows no chunks: the body ends with the connection.
  replaced = replaced === null ? ['transfer-encoding'] : [...replaced, 'transfer-encoding'];
  return writeResponseHead(head, settings.responseFilter, { replaced, added: lines }, 'HTTP/1.0');
}

/** What a route adds without what the listener has the last word on. */
function overruled(lines: string, settings: HttpSettings): string {
  const withoutServer = settings.setsServer === 'overwrite' ? withoutLine(lines, 'server') : lines;
  return settings.returnsRequestId ? withoutLine(withoutServer, 'x-request-id') : withoutServer;
}

function addsServer(head: ResponseHead, lines: string, settings: HttpSettings): boolean {
  switch (settings.setsServer) {
    case 'overwrite':
      return true;
    case 'append-if-absent':
      return !head.hasServer && lineValue(lines, 'server') === null;
    default:
      return false;
  }
}
