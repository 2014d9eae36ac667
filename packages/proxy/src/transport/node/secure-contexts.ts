import { type SecureContext, createSecureContext } from 'node:tls';
import type { CertificateSecret, LinkSecurity } from '../../tls/link-security.ts';
import type { TrustBundle } from '@heddle/identity';

/** Key and certificate with the roots to judge the other side by. */
export interface LinkSecrets {
  readonly certificate: CertificateSecret;
  readonly trustBundle: TrustBundle;
  /** Changes when either does. */
  readonly version: string;
}

/** The secrets that `security` names, or null while one of them is not there: the link then fails closed. */
export function linkSecretsOf(security: LinkSecurity): LinkSecrets | null {
  const certificate = security.secrets.certificate(security.certificateSecret);
  const trustBundle = security.secrets.trustBundle(security.validationSecret);
  if (certificate === null || trustBundle === null) return null;
  return { certificate, trustBundle, version: `${certificate.version}/${trustBundle.version}` };
}

/** Options of a TLS endpoint of the mesh, for both roles: TLS 1.3 only, its own roots and nobody else's. */
export function secureOptions(secrets: LinkSecrets): {
  readonly key: string;
  readonly cert: string;
  readonly ca: string;
  readonly minVersion: 'TLSv1.3';
  readonly maxVersion: 'TLSv1.3';
  readonly ecdhCurve: string;
} {
  return {
    key: secrets.certificate.privateKey,
    cert: secrets.certificate.certificateChain,
    ca: secrets.trustBundle.pem,
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    // OpenSSL 3.5 would send post-quantum key shares too: three times the hello and more CPU for each link.
    ecdhCurve: 'X25519:P-256',
  };
}

/** Certificates and bundles change together with their versions: more than a few at a time are never in use. */
const maxContexts = 8;

/**
 * Client contexts by the version of what is in them: making one parses keys and costs 0.2 ms, and all clusters of a mesh
 * show the same certificate.
 */
export class ClientContexts {
  private readonly byVersion = new Map<string, SecureContext>();

  get(secrets: LinkSecrets): SecureContext {
    let context = this.byVersion.get(secrets.version);
    if (context !== undefined) return context;
    context = createSecureContext(secureOptions(secrets));
    this.byVersion.set(secrets.version, context);
    if (this.byVersion.size > maxContexts) {
      const [oldest] = this.byVersion.keys();
      if (oldest !== undefined) this.byVersion.delete(oldest);
    }
    return context;
  }
}
