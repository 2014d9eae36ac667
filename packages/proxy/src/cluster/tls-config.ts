import type { StringMatcher } from '../routing/string-matcher.ts';

/** What an `UpstreamTlsContext` says, as data: how a cluster's connections are secured. TLS 1.3 only. */
export interface UpstreamTlsConfig {
  /** SDS name of the certificate to show. */
  readonly certificateSecret: string;
  /** SDS name of the trust bundle to verify the peer with. */
  readonly validationSecret: string;
  /** URI SANs of which the peer must have one; empty accepts every identity of the bundle's trust domain. */
  readonly allowedSans: readonly StringMatcher[];
  /** Server name to ask for; empty for none. */
  readonly sni: string;
  /** In order of preference. */
  readonly alpn: readonly string[];
}

/** What a `DownstreamTlsContext` says, as data: how a listener's connections are secured. A client certificate is required. */
export interface DownstreamTlsConfig {
  /** SDS name of the certificate to show. */
  readonly certificateSecret: string;
  /** SDS name of the trust bundle to verify the peer with. */
  readonly validationSecret: string;
  /** URI SANs of which the peer must have one; empty accepts every identity of the bundle's trust domain. */
  readonly allowedSans: readonly StringMatcher[];
  /** In order of preference. */
  readonly alpn: readonly string[];
}
