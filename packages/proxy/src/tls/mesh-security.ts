import type { LinkSecurity, PeerMatcher, SecretProvider } from './link-security.ts';
import { modernParameters } from './tls-parameters.ts';

export interface MeshSecurityOptions {
  readonly secrets: SecretProvider;
  /** Null accepts every identity of the bundle's trust domain. */
  readonly acceptPeer: PeerMatcher | null;
  readonly alpn: readonly string[];
  /** Server name to ask for. */
  readonly serverName?: string;
}

/** Mutual TLS between members of the mesh, with the SDS names that it has everywhere. */
export function meshSecurity(options: MeshSecurityOptions): LinkSecurity {
  return {
    secrets: options.secrets,
    certificates: [{ kind: 'secret', name: 'default' }],
    validation: { kind: 'mesh', bundleSecret: 'ROOTCA', acceptPeer: options.acceptPeer },
    parameters: modernParameters,
    alpn: options.alpn,
    server: {
      requiresClientCertificate: true,
      requiresServerName: false,
      tickets: { kind: 'own' },
      sessionTimeoutSeconds: 7200,
    },
    serverName: options.serverName ?? '',
    maxSessions: 1,
    observer: null,
  };
}
