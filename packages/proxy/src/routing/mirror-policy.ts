import type { ClusterHeader } from './route-match.ts';
import type { Fraction } from './route-entry.ts';

/** Where copies of a route's requests go, whose responses nobody reads. */
export interface MirrorPolicy<C> {
  /** Null where each request names its own. */
  readonly cluster: C | null;
  readonly clusterHeader: ClusterHeader<C> | null;
  /** The share of the requests that are copied; null for all. */
  readonly fraction: Fraction | null;
  /** The host of a copy says so: `a:80` becomes `a-shadow:80`. */
  readonly marksHost: boolean;
}
