import type { StringMatcher } from '../routing/string-matcher.ts';
import type { LinkSecurity, PeerMatcher, SecretProvider } from './link-security.ts';

/** What a TLS context says, for either role. */
export interface TlsConfig {
  readonly certificateSecret: string;
  readonly validationSecret: string;
  readonly allowedSans: readonly StringMatcher[];
  readonly alpn: readonly string[];
  /** Server name to ask for; clients only. */
  readonly sni?: string;
}

/** Accepts a peer whose SPIFFE id one of the matchers matches; without matchers every peer of the trust domain. */
function peerMatcher(allowed: readonly StringMatcher[]): PeerMatcher | null {
  if (allowed.length === 0) return null;
  return (spiffeId) => allowed.some((matcher) => matcher.matches(spiffeId));
}

/** Joins the configuration of a link with the secrets it names. */
export function linkSecurityOf(config: TlsConfig, secrets: SecretProvider): LinkSecurity {
  return {
    secrets,
    certificateSecret: config.certificateSecret,
    validationSecret: config.validationSecret,
    acceptPeer: peerMatcher(config.allowedSans),
    serverName: config.sni ?? '',
    alpn: config.alpn,
  };
}
