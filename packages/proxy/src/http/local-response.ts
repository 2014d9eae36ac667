import type { RequestHead } from '../http1/request-head.ts';
import type { HttpSettings, ProxyContext } from './http-settings.ts';
import { reasonPhrase } from './response-flags.ts';

/** The head of an answer that the proxy gives itself; `lines` and `connectionLine` end with CRLF or are empty. */
export function localResponse(
  head: RequestHead,
  status: number,
  length: number,
  lines: string,
  connectionLine: string,
  settings: HttpSettings,
  context: ProxyContext,
): string {
  const version = head.minorVersion === 0 ? 'HTTP/1.0' : 'HTTP/1.1';
  return (
    `${version} ${status} ${reasonPhrase(status)}\r\ncontent-length: ${length}\r\n${lines}` +
    `date: ${context.date.now()}\r\n${settings.serverLine}${connectionLine}\r\n`
  );
}
