// The names Kubernetes and Istio allow.
import { isIP } from 'node:net';

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const hostLabel = /^[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?$/;
const qualifiedName = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** RFC 1123 label: a namespace, a subset. */
export function isLabel(text: string): boolean {
  return text.length <= 63 && label.test(text);
}

/** RFC 1123 subdomain: the name of an object. */
export function isSubdomain(text: string): boolean {
  return text.length <= 253 && text.split('.').every((part) => label.test(part));
}

/** A DNS name without wildcard; upper case is allowed as in DNS. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && text.split('.').every((part) => part.length <= 63 && hostLabel.test(part));
}

/** An IPv4 or IPv6 address. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0;
}

/** `*`, `*.example.org` or `*-suffix.example.org`. */
export function isWildcard(text: string): boolean {
  return text === '*' || (/^\*[.-]/.test(text) && isHostName(text.slice(2)));
}

/** The key of a label or annotation: an optional DNS prefix and a name. */
export function isQualifiedName(text: string): boolean {
  const slash = text.indexOf('/');
  const name = text.slice(slash + 1);
  if (slash >= 0 && !isSubdomain(text.slice(0, slash))) return false;
  return name.length <= 63 && qualifiedName.test(name);
}

/** The value of a label; may be empty. */
export function isLabelValue(text: string): boolean {
  return text === '' || (text.length <= 63 && qualifiedName.test(text));
}
