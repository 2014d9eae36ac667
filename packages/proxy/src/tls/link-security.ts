/**
 * How one listener or cluster secures its connections, as the data of xDS's TLS contexts. The node engine turns it into
 * mTLS with the secrets it names; the in-memory network carries identities without cryptography.
 */

import type { TrustBundle } from '@heddle/identity';

/** Which peers are accepted: one URI SAN each, compared whole. */
export type PeerMatcher = (spiffeId: string) => boolean;

/** Where certificates and trust bundles come from. */
export interface SecretProvider {
  /** The workload's certificate under this SDS name, or null while there is none. */
  certificate(name: string): CertificateSecret | null;
  /** The trust bundle under this SDS name, or null while there is none. */
  trustBundle(name: string): TrustBundle | null;
}

export interface CertificateSecret {
  /** PEM, leaf first. */
  readonly certificateChain: string;
  /** PEM. Never logged, never dumped. */
  readonly privateKey: string;
  /** Changes with the content: contexts are cached by it. */
  readonly version: string;
}

export interface LinkSecurity {
  readonly secrets: SecretProvider;
  readonly certificateSecret: string;
  readonly validationSecret: string;
  /** Null accepts every identity of the bundle's trust domain. */
  readonly acceptPeer: PeerMatcher | null;
  /** Server name to ask for; empty for none. Clients only. */
  readonly serverName: string;
  /** In order of preference. */
  readonly alpn: readonly string[];
}
