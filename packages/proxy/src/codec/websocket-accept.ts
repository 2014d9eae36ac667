import { createHash } from 'node:crypto';

const websocketId = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key` (RFC 6455 §4.2.2). HTTP/2 has no use for either (RFC 8441 §5),
 * clients of HTTP/1.1 insist on it.
 */
export function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}${websocketId}`).digest('base64');
}
