// Hot path.
// Writes the head that goes on to the next hop as text: the lines that came, byte for byte and in their order, without those
// that concern only one hop (RFC 9110 §7.6.1), and with what the proxy adds.
import { BodyKind } from '../codec/message-view.ts';
import type { OutgoingRequest } from '../codec/outgoing-request.ts';
import type { OutgoingResponse } from '../codec/outgoing-response.ts';
import { reasonPhrase } from './reason-phrase.ts';

const chunkedLine = 'transfer-encoding: chunked\r\n';
const lineEnd = '\r\n';

/** The request's head for HTTP/1.1. A body without a length is announced as chunked: who writes it puts it into chunks. */
export function requestText(request: OutgoingRequest): string {
  const { head, upgrade } = request;
  const lines = head.http1Lines(request.path, request.authority, request.filter, request.replaced);
  let text = lines + request.added.lines();
  if (request.bodyKind === BodyKind.untilEnd) text += chunkedLine;
  // CONNECT is a method of its own.
  if (upgrade !== '' && upgrade !== 'connect') text += head.upgradeLines();
  return text + lineEnd;
}

/**
 * The response's head for the client, with the status line's reason as it came; `connectionLine` ends with CRLF or is empty.
 * `isChunked`: the body has no length, and who writes it puts it into chunks.
 */
export function responseText(
  response: OutgoingResponse,
  version: 'HTTP/1.0' | 'HTTP/1.1',
  isChunked: boolean,
  connectionLine: string,
): string {
  const { head, status, filter } = response;
  const lines =
    head === null || filter === null
      ? `${version} ${status} ${reasonPhrase(status)}\r\n`
      : head.http1Lines(version, filter, response.replaced);
  let text = lines + response.added.lines();
  if (head === null && endsWithHead(response)) text += 'content-length: 0\r\n';
  return (isChunked ? text + chunkedLine : text) + connectionLine + lineEnd;
}

/** An answer of the proxy's own that nothing follows, which a client of HTTP/1 has to be told unless its status says so. */
function endsWithHead({ bodyKind, upgrade, status, added }: OutgoingResponse): boolean {
  if (status < 200 || status === 204 || status === 304) return false;
  return bodyKind === BodyKind.none && upgrade === '' && !added.has('content-length');
}
