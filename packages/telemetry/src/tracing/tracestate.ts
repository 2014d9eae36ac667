/** One vendor's entry of a `tracestate` header. */
export interface TracestateMember {
  readonly key: string;
  readonly value: string;
}

const maxMembers = 32;
// Section 3.3.2.2 of https://www.w3.org/TR/trace-context/, multi-tenant keys included.
const key = /^(?:[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/;
// Printable ASCII without comma and equals sign, at most 256, not ending in a space.
const memberValue = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * Parses a `tracestate` header, several of them joined by commas. Null where a member is malformed, a key comes twice or
 * there are more than 32 members: the whole header is then dropped (section 3.3.1.1). Empty members are allowed.
 */
export function parseTracestate(header: string): TracestateMember[] | null {
  const members: TracestateMember[] = [];
  const seen = new Set<string>();
  for (const part of header.split(',')) {
    const member = part.replaceAll(/^[ \t]+|[ \t]+$/g, '');
    if (member === '') continue;
    const equals = member.indexOf('=');
    const name = member.slice(0, Math.max(equals, 0));
    const value = member.slice(equals + 1);
    if (!key.test(name) || !memberValue.test(value) || seen.has(name)) return null;
    seen.add(name);
    members.push({ key: name, value });
    if (members.length > maxMembers) return null;
  }
  return members;
}

/** Renders the header for the next hop; empty where there is nothing to send. */
export function formatTracestate(members: readonly TracestateMember[]): string {
  return members.map((member) => `${member.key}=${member.value}`).join(',');
}
