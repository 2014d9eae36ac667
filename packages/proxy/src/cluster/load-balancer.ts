// Hot path.
import type { Random } from '@heddle/base';
import type { Hash64 } from '../hash/hash64.ts';
import type { TcpAddress } from '../transport/transport.ts';
import type { Endpoint, EndpointPool } from './endpoint.ts';

/** What is known of the connection and request that an endpoint is picked for. */
export interface PickOrigin {
  /** Where an intercepted connection wanted to go. */
  readonly originalDestination: TcpAddress | null;
  /** A field of the request by its lower-case name. */
  requestHeader(name: string): string | null;
  /** What balancers that go by a hash go by; null for any endpoint. */
  readonly pickHash: Hash64 | null;
  /** How often an endpoint was picked already for this try, and turned down. */
  readonly pickAttempt: number;
}

/**
 * Chooses an endpoint for each request: a view of the cluster at one moment, replaced as a whole when the cluster changes.
 * Every endpoint it gives was eligible when it was made.
 */
export interface LoadBalancer<P extends EndpointPool> {
  /** Null where there is nothing to choose from (503, flag UH). `authority` is the request's. */
  pick(random: Random, authority: string, origin: PickOrigin | null): Endpoint<P> | null;
}

/** What a cluster without endpoints picks. */
export const emptyLoadBalancer: LoadBalancer<never> = { pick: () => null };
