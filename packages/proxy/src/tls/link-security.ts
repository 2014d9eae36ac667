/**
 * How one listener or cluster secures its connections. The node engine turns it into TLS with the secrets it names; the
 * in-memory network carries identities without cryptography.
 */
import type { TrustBundle } from '@heddle/identity';
import type { TlsSession } from '../transport/transport.ts';
import type { CertificateSource, RootsValidation, TicketPolicy, TlsParameters } from './tls-config.ts';

/** Which peers are accepted: one URI SAN each, compared whole. */
export type PeerMatcher = (spiffeId: string) => boolean;

/** Where the mesh's certificates and trust bundles come from. */
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

/** Why a peer was refused after its handshake. */
export type PeerFaultKind = 'error' | 'no-certificate' | 'san' | 'hash';

/** Hears of each handshake, for the counters of a listener or cluster. */
export interface TlsObserver {
  /** Whose handshakes these are, for logs: `listener 127.0.0.1_443` or `cluster reviews`. */
  readonly owner: string;
  /** A handshake has ended well and its peer is accepted. */
  onHandshake(session: TlsSession): void;
  /** A handshake, or TLS later on, failed for a reason that isn't the peer's certificate. */
  onConnectionError(): void;
  /** The peer's certificate was refused. */
  onPeerRefused(kind: PeerFaultKind): void;
}

/** How a peer's certificate is judged after every handshake, resumed ones included. */
export type LinkValidation =
  | {
      readonly kind: 'mesh';
      /** SDS name of the trust bundle. */
      readonly bundleSecret: string;
      /** Null accepts every identity of the bundle's trust domain. */
      readonly acceptPeer: PeerMatcher | null;
    }
  | RootsValidation;

export interface LinkSecurity {
  readonly secrets: SecretProvider;
  readonly certificates: readonly CertificateSource[];
  /** Null, for servers only, asks for no certificate. */
  readonly validation: LinkValidation | null;
  readonly parameters: TlsParameters;
  /** In order of preference. */
  readonly alpn: readonly string[];
  /** What only a server needs. */
  readonly server: {
    readonly requiresClientCertificate: boolean;
    readonly requiresServerName: boolean;
    readonly tickets: TicketPolicy;
    readonly sessionTimeoutSeconds: number;
  };
  /** Server name to ask for; empty for none. Clients only. */
  readonly serverName: string;
  /** Sessions kept for each address. Clients only. */
  readonly maxSessions: number;
  readonly observer: TlsObserver | null;
}
