/** What the TLS contexts of Envoy's API say, as data: how the connections of a listener's filter chain or of a cluster are secured. */
import type { SanMatcher } from './san-matcher.ts';
import type { StaticCertificate } from './static-certificate.ts';

/** Where a certificate and its key come from: the identity under an SDS name, or the configuration itself. */
export type CertificateSource =
  | { readonly kind: 'secret'; readonly name: string }
  | { readonly kind: 'static'; readonly certificate: StaticCertificate };

/** The mesh's way: chain, dates and SPIFFE id against the bundle of the peer's own trust domain. */
export interface MeshValidation {
  readonly kind: 'mesh';
  /** SDS name of the trust bundle. */
  readonly bundleSecret: string;
  /** URI SANs of which the peer must have one; empty accepts every identity of the bundle's trust domain. */
  readonly sans: readonly SanMatcher[];
}

/** Everybody else's way: a chain to one of these roots, and whatever else is asked for. */
export interface RootsValidation {
  readonly kind: 'roots';
  /** PEM. */
  readonly roots: string;
  /** Where they were read; empty where they stand in the configuration itself. */
  readonly rootsFile: string;
  /** SANs of which the peer must have one; empty for no such condition. */
  readonly sans: readonly SanMatcher[];
  /** SHA-256 of acceptable certificates, lower-case hexadecimal. Where there are hashes of either kind, one must match. */
  readonly certificateHashes: readonly string[];
  /** SHA-256 of acceptable public keys (SubjectPublicKeyInfo in DER), base64. */
  readonly publicKeyHashes: readonly string[];
}

export type PeerValidation = MeshValidation | RootsValidation;

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface TlsParameters {
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** Suites of TLS 1.2 as OpenSSL names them, in order of preference; empty for the default ones. */
  readonly cipherSuites: readonly string[];
  /** Groups for the key exchange, in order of preference; empty for the default ones. */
  readonly curves: readonly string[];
}

/** Whether and with which keys a server makes session tickets. */
export type TicketPolicy =
  | { readonly kind: 'none' }
  /** Keys of the process's own, made anew every hour. */
  | { readonly kind: 'own' }
  /** Keys that several proxies share: the first makes tickets, all open them. 80 bytes each. */
  | { readonly kind: 'given'; readonly keys: readonly GivenTicketKey[] };

/** Key material from the configuration, kept out of everything that is printed. */
export class GivenTicketKey {
  readonly bytes: Buffer;
  /** Tells keys apart without giving them away. */
  readonly version: string;

  constructor(bytes: Buffer, version: string) {
    this.bytes = bytes;
    this.version = version;
  }

  toJSON(): string {
    return this.version;
  }
}

interface CommonTlsConfig {
  /** In order of preference; clients may have none. */
  readonly certificates: readonly CertificateSource[];
  /** How the peer's certificate is judged. Null, for servers only: none is asked for. */
  readonly validation: PeerValidation | null;
  readonly parameters: TlsParameters;
  /** In order of preference. */
  readonly alpn: readonly string[];
}

/** A `DownstreamTlsContext`. */
export interface DownstreamTlsConfig extends CommonTlsConfig {
  readonly requiresClientCertificate: boolean;
  /** Clients that name no server are refused. */
  readonly requiresServerName: boolean;
  readonly tickets: TicketPolicy;
  /** How long a session can be resumed. */
  readonly sessionTimeoutSeconds: number;
}

/** An `UpstreamTlsContext`. */
export interface UpstreamTlsConfig extends CommonTlsConfig {
  /** Server name to ask for; empty for none. */
  readonly sni: string;
  /** Sessions kept for resumption; 0 for none. */
  readonly maxSessions: number;
}

/** The SDS name of the trust bundle without which these connections can't be; null where they need none. */
export function bundleSecretOf(tls: DownstreamTlsConfig | UpstreamTlsConfig | null): string | null {
  return tls?.validation?.kind === 'mesh' ? tls.validation.bundleSecret : null;
}
