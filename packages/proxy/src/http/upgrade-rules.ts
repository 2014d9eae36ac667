import { FieldId } from '../codec/field-name.ts';
import { type MessageHead, listContains } from '../http1/message-head.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { type ResponseHead, ResponseKind } from '../http1/response-head.ts';
import type { UpgradeRules } from '../routing/route-match.ts';

/** What an upgrade is called in the rules: that of CONNECT, as Envoy has it. */
const connectUpgrade = 'connect';

/**
 * What a request wants to become, in lower case: `connect`, `websocket`, …; empty where it stays HTTP/1.1. An offer of
 * `h2c` is declined by ignoring it (RFC 9110 §7.8).
 */
export function wantedUpgrade(head: RequestHead): string {
  if (head.method === 'CONNECT') return connectUpgrade;
  if (!head.hasUpgrade || !listContains(head.valueById(FieldId.connection), 'upgrade')) return '';
  const wanted = head.valueById(FieldId.upgrade).toLowerCase();
  return wanted === 'h2c' || wanted === connectUpgrade ? '' : wanted;
}

/** The line that asks the upstream for what was granted; empty for nothing. CONNECT is a method of its own. */
export function upgradeLine(granted: string, head: RequestHead): string {
  if (granted === '' || granted === connectUpgrade) return '';
  return upgradeLines(head);
}

/** Which kind of response the request asks for. */
export function responseKind(granted: string, head: RequestHead): number {
  if (granted === connectUpgrade) return ResponseKind.connect;
  if (granted !== '') return ResponseKind.upgrade;
  return head.method === 'HEAD' ? ResponseKind.head : ResponseKind.usual;
}

/** What is done with an upgrade: the route's word before the listener's, and by default none. */
export function upgradeDecision(
  wanted: string,
  route: UpgradeRules | null,
  listener: UpgradeRules,
): 'forward' | 'tunnel' | 'refuse' {
  return route?.get(wanted) ?? listener.get(wanted) ?? 'refuse';
}

/** Whether a response with this status ends HTTP: 101, or 2xx in answer to CONNECT. */
export function switchesProtocol(granted: string, status: number): boolean {
  if (granted === connectUpgrade) return status >= 200 && status < 300;
  return granted !== '' && status === 101;
}

/** The line that tells the client what the upstream agreed to; empty in answer to CONNECT. */
export function switchedLine(granted: string, head: ResponseHead): string {
  if (granted === connectUpgrade) return '';
  return upgradeLines(head);
}

/** The two lines that speak of an upgrade, written as the message has them. */
function upgradeLines(head: MessageHead): string {
  const options = head.valueById(FieldId.connection).split(',');
  const option = options.find((one) => one.trim().toLowerCase() === 'upgrade')?.trim() ?? 'upgrade';
  return `upgrade: ${head.valueById(FieldId.upgrade)}\r\nconnection: ${option}\r\n`;
}
