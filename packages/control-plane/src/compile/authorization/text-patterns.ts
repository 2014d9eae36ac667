// How policies write texts, `exact`, `prefix*`, `*suffix` and `*`, as Envoy's matchers.
import { isIP } from 'node:net';
import type { DeepPartial } from '@heddle/xds';
import type { CidrRange } from '@heddle/xds/api/envoy/config/core/v3/address.ts';
import type { StringMatcher } from '@heddle/xds/api/envoy/type/matcher/v3/string.ts';

type Matcher = DeepPartial<StringMatcher>;

export function matchesRegex(regex: string): Matcher {
  return { matchPattern: { $case: 'safeRegex', value: { regex } } };
}

/** Text that RE2 takes as it is. */
export function quote(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`);
}

/** `*` is any text but none at all. */
export function matchesText(pattern: string): Matcher {
  if (pattern === '*') return matchesRegex('.+');
  if (pattern.startsWith('*')) return { matchPattern: { $case: 'suffix', value: pattern.slice(1) } };
  if (pattern.endsWith('*')) return { matchPattern: { $case: 'prefix', value: pattern.slice(0, -1) } };
  return { matchPattern: { $case: 'exact', value: pattern } };
}

/** The SPIFFE id of a caller, which policies write without its scheme. */
export function matchesPrincipal(pattern: string): Matcher {
  if (pattern === '*') return matchesRegex('.+');
  if (pattern.startsWith('*')) return matchesRegex(`spiffe://.*${quote(pattern.slice(1))}`);
  if (pattern.endsWith('*'))
    return { matchPattern: { $case: 'prefix', value: `spiffe://${pattern.slice(0, -1)}` } };
  return { matchPattern: { $case: 'exact', value: `spiffe://${pattern}` } };
}

/** The namespace of a caller, as its SPIFFE id says. A star stands for any text. */
export function matchesNamespace(pattern: string): Matcher {
  return matchesRegex(`.*/ns/${pattern.split('*').map(quote).join('.*')}/.*`);
}

/** The trust domain of a caller. */
export function matchesTrustDomain(pattern: string): Matcher {
  return matchesRegex(`spiffe://${pattern.split('*').map(quote).join('[^/]*')}/.*`);
}

/** A service account: `namespace/name`, or a name in the namespace of the policy. */
export function matchesServiceAccount(pattern: string, namespace: string): Matcher {
  const slash = pattern.indexOf('/');
  const home = slash < 0 ? namespace : pattern.slice(0, slash);
  return matchesRegex(`spiffe://.+/ns/${quote(home)}/(.+/|)sa/${quote(pattern.slice(slash + 1))}(/.+)?`);
}

/** Whether a path is a template: `{*}` is one segment, `{**}` any number of them. */
export function isPathTemplate(path: string): boolean {
  return path.includes('{*}') || path.includes('{**}');
}

/** A path without its query. */
export function matchesPath(pattern: string): Matcher {
  if (!isPathTemplate(pattern)) return matchesText(pattern);
  const parts = pattern.split(/(\{\*\*?\})/);
  const regex = parts.map((part) => {
    if (part === '{**}') return '.*';
    return part === '{*}' ? '[^/]+' : quote(part);
  });
  return matchesRegex(regex.join(''));
}

/** An address or a block of them; null for what is none. */
export function addressBlock(text: string): DeepPartial<CidrRange> | null {
  const [addressPrefix = '', length, ...rest] = text.split('/');
  const family = isIP(addressPrefix);
  if (family === 0 || rest.length > 0) return null;
  const bits = family === 4 ? 32 : 128;
  if (length === undefined) return { addressPrefix, prefixLen: bits };
  return /^\d{1,3}$/.test(length) && Number(length) <= bits
    ? { addressPrefix, prefixLen: Number(length) }
    : null;
}
