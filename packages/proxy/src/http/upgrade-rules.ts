import { ResponseKind } from '../codec/client-stream.ts';
import type { UpgradeRules } from '../routing/route-match.ts';

/** What an upgrade is called in the rules: that of CONNECT, as Envoy has it. */
const connectUpgrade = 'connect';

/** Which kind of response a request with this method asks for. */
export function responseKind(granted: string, method: string): number {
  if (granted === connectUpgrade) return ResponseKind.connect;
  if (granted !== '') return ResponseKind.upgrade;
  return method === 'HEAD' ? ResponseKind.head : ResponseKind.usual;
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
