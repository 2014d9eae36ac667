import type {
  LinkSecurity,
  LinkValidation,
  PeerMatcher,
  SecretProvider,
  TlsObserver,
} from './link-security.ts';
import type { SanMatcher } from './san-matcher.ts';
import type { DownstreamTlsConfig, PeerValidation, UpstreamTlsConfig } from './tls-config.ts';

/** Accepts a peer whose SPIFFE id one of the matchers matches; without matchers every peer of the trust domain. */
function peerMatcher(sans: readonly SanMatcher[]): PeerMatcher | null {
  if (sans.length === 0) return null;
  return (spiffeId) => sans.some(({ matcher }) => matcher.matches(spiffeId));
}

function linkValidation(validation: PeerValidation | null): LinkValidation | null {
  if (validation?.kind !== 'mesh') return validation;
  const { bundleSecret, sans } = validation;
  return { kind: 'mesh', bundleSecret, acceptPeer: peerMatcher(sans) };
}

const noServer: LinkSecurity['server'] = {
  requiresClientCertificate: true,
  requiresServerName: false,
  tickets: { kind: 'none' },
  sessionTimeoutSeconds: 0,
};

/** Joins a listener's or cluster's TLS configuration with the secrets it names and with who counts its handshakes. */
export function linkSecurityOf(
  config: DownstreamTlsConfig | UpstreamTlsConfig,
  secrets: SecretProvider,
  observer: TlsObserver | null = null,
): LinkSecurity {
  const { certificates, parameters, alpn } = config;
  const isServer = 'tickets' in config;
  return {
    secrets,
    certificates,
    validation: linkValidation(config.validation),
    parameters,
    alpn,
    server: isServer ? config : noServer,
    serverName: isServer ? '' : config.sni,
    maxSessions: isServer ? 0 : config.maxSessions,
    observer,
  };
}
