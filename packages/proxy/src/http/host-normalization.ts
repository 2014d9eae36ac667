// Hot path.

/** Which parts of a `Host` are left out before it is routed and forwarded. */
export interface HostRules {
  /** `strip_matching_host_port` leaves out the listener's own port, `strip_any_host_port` every one. */
  readonly stripsPort: 'none' | 'matching' | 'any';
  /** `strip_trailing_host_dot`. */
  readonly stripsDot: boolean;
}

/** `host` as the rules want it; the same string where there is nothing to do. The target of CONNECT keeps its port. */
export function normalizedHost(
  host: string,
  localPort: number,
  isConnect: boolean,
  rules: HostRules,
): string {
  const colon = portColon(host);
  let end = colon < 0 ? host.length : colon;
  let port = colon < 0 ? '' : host.slice(colon);
  if (colon >= 0 && port.length > 1) {
    const isMatching = rules.stripsPort === 'matching' && Number(port.slice(1)) === localPort;
    if (isMatching || (rules.stripsPort === 'any' && !isConnect)) port = '';
  }
  if (rules.stripsDot && end > 1 && host.charCodeAt(end - 1) === 0x2e) end--;
  return end + port.length === host.length ? host : host.slice(0, end) + port;
}

/** Where the port begins, at its colon; -1 where there is none. The colons of an IPv6 address stand in brackets. */
function portColon(host: string): number {
  const colon = host.lastIndexOf(':');
  return colon < host.lastIndexOf(']') ? -1 : colon;
}
