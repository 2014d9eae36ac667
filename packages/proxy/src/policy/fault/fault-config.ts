import type { HeaderMatcher } from '../../routing/header-matcher.ts';
import type { Fraction } from '../../routing/route-entry.ts';
import type { LocalReply } from '../../http/response-flags.ts';

/** What an `HTTPFault` says. */
export interface FaultConfig {
  readonly delay:
    | { readonly kind: 'fixed'; readonly ms: number; readonly share: Fraction }
    | HeaderFault
    | null;
  readonly abort:
    | { readonly kind: 'reply'; readonly reply: LocalReply; readonly share: Fraction }
    | HeaderFault
    | null;
  /** Faults are for requests to this cluster only; '' for all. */
  readonly upstreamCluster: string;
  readonly headers: readonly HeaderMatcher[];
  /** More than this at once are not injected. */
  readonly maxActive: number;
}

/** Requests say themselves what happens to them, to at most this share of them. */
interface HeaderFault {
  readonly kind: 'header';
  readonly share: Fraction;
}
