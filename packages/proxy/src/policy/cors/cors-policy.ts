// Which pages of other origins may read what a route answers: Envoy's `extensions.filters.http.cors.v3.CorsPolicy`.
import type { Fraction } from '../../routing/route-entry.ts';
import type { TextMatcher } from '../../routing/string-matcher.ts';

/** What one level of the routing says. Empty and null is what it says nothing of. */
export interface CorsPolicy {
  readonly origins: readonly TextMatcher[];
  readonly allowMethods: string;
  readonly allowHeaders: string;
  readonly exposeHeaders: string;
  readonly maxAge: string;
  readonly allowsCredentials: boolean | null;
  readonly allowsPrivateNetwork: boolean | null;
  /** A preflight of an origin that is not allowed goes to the upstream; true where nothing is said. */
  readonly forwardsOthers: boolean | null;
  /** The share of requests for which the filter does something; null for all. */
  readonly enabled: Fraction | null;
  /** Of the others, the share that is counted; null for none. */
  readonly shadow: Fraction | null;
}

/** `inner`, and what it says nothing of as `outer` says. As in Envoy, for which requests it holds `inner` alone says. */
export function joinedPolicies(outer: CorsPolicy, inner: CorsPolicy): CorsPolicy {
  return {
    origins: inner.origins.length > 0 ? inner.origins : outer.origins,
    allowMethods: inner.allowMethods || outer.allowMethods,
    allowHeaders: inner.allowHeaders || outer.allowHeaders,
    exposeHeaders: inner.exposeHeaders || outer.exposeHeaders,
    maxAge: inner.maxAge || outer.maxAge,
    allowsCredentials: inner.allowsCredentials ?? outer.allowsCredentials,
    allowsPrivateNetwork: inner.allowsPrivateNetwork ?? outer.allowsPrivateNetwork,
    forwardsOthers: inner.forwardsOthers ?? outer.forwardsOthers,
    enabled: inner.enabled,
    shadow: inner.shadow,
  };
}

/** `*` in the place of an origin allows all. */
export function allowsOrigin({ origins }: CorsPolicy, origin: string): boolean {
  for (const matcher of origins) if (matcher.matches('*') || matcher.matches(origin)) return true;
  return false;
}
