import type { RequestHead } from '../http1/request-head.ts';
import type { HeaderMutation } from '../routing/header-mutation.ts';
import { type FieldSource, headChanges } from './header-changes.ts';
import { lineValue, withoutLine } from './header-lines.ts';
import type { HttpSettings, ProxyContext } from './http-settings.ts';
import { reasonPhrase } from './response-flags.ts';

const noFields: FieldSource = { header: () => null };

/**
 * The head of an answer that the proxy gives itself; `lines` and `connectionLine` end with CRLF or are empty. `mutations`
 * are those of the route, where there is one.
 */
export function localResponse(
  head: RequestHead,
  status: number,
  length: number,
  lines: string,
  mutations: readonly HeaderMutation[] | null,
  connectionLine: string,
  settings: HttpSettings,
  context: ProxyContext,
): string {
  const version = head.minorVersion === 0 ? 'HTTP/1.0' : 'HTTP/1.1';
  const start = `${version} ${status} ${reasonPhrase(status)}\r\ncontent-length: ${length}\r\n`;
  const date = `date: ${context.date.now()}\r\n`;
  if (mutations === null) return `${start}${lines}${date}${settings.serverLine}${connectionLine}\r\n`;
  let changed = headChanges(noFields, null, mutations, lines).added;
  if (settings.setsServer === 'overwrite') changed = withoutLine(changed, 'server');
  if (lineValue(changed, 'date') === null) changed += date;
  if (lineValue(changed, 'server') === null) changed += settings.serverLine;
  return `${start}${changed}${connectionLine}\r\n`;
}
