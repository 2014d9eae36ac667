// What HTTP/1.1 wants of a WebSocket handshake, and HTTP/2 knows nothing of (RFC 8441 §5): made here where a client of HTTP/2
// is led to a server of HTTP/1.1, and kept from the client.
import type { Random } from '@heddle/base';
import { Field } from '../codec/field.ts';
import type { RequestHeadView, ResponseHeadView } from '../codec/message-view.ts';
import type { OutgoingRequest } from '../codec/outgoing-request.ts';
import type { OutgoingResponse } from '../codec/outgoing-response.ts';
import { acceptOf } from '../codec/websocket-accept.ts';

const keyName = 'sec-websocket-key';
const acceptName = 'sec-websocket-accept';

/**
 * Gives the request a key where its upstream `wantsKey` and its client has none. What the answer has to accept it by; empty
 * where that is the client's affair. A request that is sent once more is made right again.
 */
export function addWebSocketKey(
  outgoing: OutgoingRequest,
  head: RequestHeadView,
  wantsKey: boolean,
  random: Random,
): string {
  const { added } = outgoing;
  added.remove(keyName);
  if (!wantsKey || head.protocol !== 'HTTP/2' || head.header(keyName) !== null) return '';
  const bytes = Buffer.allocUnsafe(16);
  for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32BE(random.uint32(), at);
  const key = bytes.toString('base64');
  added.add(new Field(keyName, key));
  return acceptOf(key);
}

export function isAccepted(head: ResponseHeadView, accept: string): boolean {
  return head.header(acceptName) === accept;
}

/** The client has given no key, and gets no answer to one. */
export function hideAccept(response: OutgoingResponse): void {
  response.replaced = response.replaced === null ? [acceptName] : [...response.replaced, acceptName];
}
