import { constants, createHash } from 'node:crypto';
import { type SecureContext, type SecureContextOptions, createSecureContext } from 'node:tls';
import type { TrustBundle } from '@heddle/identity';
import type { CertificateSecret, LinkSecurity } from '../../tls/link-security.ts';
import { cipherList, curveList } from '../../tls/tls-parameters.ts';

/** What a link shows and trusts at one moment. */
export interface LinkSecrets {
  readonly certificates: readonly CertificateSecret[];
  /** The mesh's roots; null where the configuration gives roots itself, or none. */
  readonly bundle: TrustBundle | null;
  /** Roots in PEM; null where peers are not asked for a certificate. */
  readonly roots: string | null;
  /** Changes with what is trusted. */
  readonly trustVersion: string;
  /** Changes with any of it. */
  readonly version: string;
}

/** The secrets that `security` names, or null while one of them is not there: the link then fails closed. */
export function linkSecretsOf(security: LinkSecurity): LinkSecrets | null {
  const certificates: CertificateSecret[] = [];
  for (const source of security.certificates) {
    const certificate =
      source.kind === 'static' ? source.certificate : security.secrets.certificate(source.name);
    if (certificate === null) return null;
    certificates.push(certificate);
  }
  const { validation } = security;
  const bundle = validation?.kind === 'mesh' ? security.secrets.trustBundle(validation.bundleSecret) : null;
  if (validation?.kind === 'mesh' && bundle === null) return null;
  // Roots of the configuration itself never change: another one makes another `security`.
  const trustVersion = bundle?.version ?? '';
  const version = `${certificates.map((certificate) => certificate.version).join(' ')}/${trustVersion}`;
  const roots = validation?.kind === 'roots' ? validation.roots : (bundle?.pem ?? null);
  return { certificates, bundle, roots, trustVersion, version };
}

/** Options that both roles share: their own roots and nobody else's. */
export function secureOptions(
  security: LinkSecurity,
  certificates: readonly CertificateSecret[],
  roots: string | null,
): SecureContextOptions {
  const { parameters } = security;
  return {
    key: certificates.map((certificate) => certificate.privateKey),
    cert: certificates.map((certificate) => certificate.certificateChain),
    // An empty list, because without any list Node trusts the roots of all browsers.
    ca: roots === null ? [] : roots,
    minVersion: parameters.minVersion,
    maxVersion: parameters.maxVersion,
    ciphers: cipherList(parameters),
    ecdhCurve: curveList(parameters),
    honorCipherOrder: true,
    // Peers are verified once: a second handshake could show another certificate.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** Certificates and bundles change together with their versions: more than a few at a time are never in use. */
const maxContexts = 8;

/**
 * Client contexts by what is in them: making one parses keys and costs 0.2 ms, and all clusters of a mesh show the same
 * certificate.
 */
export class ClientContexts {
  private readonly byContent = new Map<string, SecureContext>();

  get(security: LinkSecurity, secrets: LinkSecrets): SecureContext {
    const { parameters, validation } = security;
    const roots = validation?.kind === 'roots' ? digest(validation.roots) : '';
    const content = `${secrets.version} ${roots} ${JSON.stringify(parameters)}`;
    let context = this.byContent.get(content);
    if (context !== undefined) return context;
    context = createSecureContext(secureOptions(security, secrets.certificates, secrets.roots));
    this.byContent.set(content, context);
    if (this.byContent.size > maxContexts) {
      const [oldest] = this.byContent.keys();
      if (oldest !== undefined) this.byContent.delete(oldest);
    }
    return context;
  }
}

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
