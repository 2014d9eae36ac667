import { type KeyObject, createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { type Clock, HeddleError, type Result, err, ok } from '@heddle/base';
import {
  type Certificate,
  type TrustBundle,
  type TrustDomain,
  generateKeyPair,
  exportPrivateKey,
  importPrivateKey,
  parseCertificates,
  parseTrustDomainUri,
  trustBundleOf,
  trustDomainUri,
} from '@heddle/identity';
import { randomSerial, wholeSecond } from './certificate-fields.ts';
import { x509 } from './x509-library.ts';

/** The root of a trust domain: the certificate that signs, its key, and everything that its peers should trust. */
export interface Root {
  /** The certificate that belongs to `signingKey`. */
  readonly certificate: Certificate;
  /** Not extractable: the process can sign with it but not show it. */
  readonly signingKey: webcrypto.CryptoKey;
  /** The signing root first; others during a rotation. */
  readonly bundle: TrustBundle;
}

/** A root as it is stored. */
export interface RootFiles {
  /** PEM, the signing root first. */
  readonly certificates: string;
  /** PKCS#8 PEM. A secret. */
  readonly privateKey: string;
}

export const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' } as const;
const keyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** Ten years, as Istio's self-signed root has. */
const rootLifeMs = 10 * 365 * 24 * 3_600_000;
const backdateMs = 5 * 60_000;

/**
 * No authority may stand between root and leaf. A chain of one certificate is the cheapest to send and check; a resumed
 * TLS session remembers the leaf only, so that intermediates could not be checked again; and an authority that somebody
 * tricks this root into signing would be worth nothing. Rotation needs no intermediates: bundles hold several roots.
 */
const pathLength = 0;

function importSigningKey(privateKey: KeyObject): Promise<webcrypto.CryptoKey> {
  const bytes = privateKey.export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', bytes, keyAlgorithm, false, ['sign']);
}

/** Makes a new self-signed root for a trust domain. */
export async function createRoot(trustDomain: TrustDomain, clock: Clock): Promise<RootFiles> {
  const key = generateKeyPair();
  const nowMs = clock.now();
  const spki = key.publicKey.export({ type: 'spki', format: 'der' });
  // Each root has a name of its own: OpenSSL looks issuers up by name.
  const name = [{ O: [trustDomain] }, { CN: [`Heddle root ${randomBytes(4).toString('hex')}`] }];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: name,
    issuer: name,
    notBefore: wholeSecond(nowMs - backdateMs),
    notAfter: wholeSecond(nowMs + rootLifeMs),
    publicKey: spki,
    signingKey: await importSigningKey(key.privateKey),
    signingAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, pathLength, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(spki),
      // X509-SVID §3.2: a root may name its trust domain, without a path.
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: trustDomainUri(trustDomain) }]),
    ],
  });
  return { certificates: `${certificate.toString('pem')}\n`, privateKey: exportPrivateKey(key) };
}

function corrupt(reason: string): { readonly ok: false; readonly error: HeddleError } {
  return err(
    new HeddleError('HEDDLE_CA_CORRUPT', `The certificate authority's files cannot be used: ${reason}.`),
  );
}

/** The trust domain that a root names, or null. */
function domainOf(root: Certificate): TrustDomain | null {
  for (const uri of root.extensions.uriNames) {
    const domain = parseTrustDomainUri(uri);
    if (domain.ok) return domain.value;
  }
  return null;
}

/** Reads a stored root: the certificates must be roots of the trust domain, and one of them must belong to the key. */
export async function readRoot(
  files: RootFiles,
  trustDomain: TrustDomain,
  clock: Clock,
): Promise<Result<Root, HeddleError>> {
  const certificates = parseCertificates(files.certificates);
  if (!certificates.ok) return corrupt(`root.pem: ${certificates.error[0]?.message}`);
  const key = importPrivateKey(files.privateKey);
  if (!key.ok) return corrupt(`root.key: ${key.error}`);
  const { asymmetricKeyDetails } = createPrivateKey(files.privateKey);
  if (asymmetricKeyDetails?.namedCurve !== 'prime256v1') return corrupt('root.key is not an ECDSA P-256 key');
  const certificate = certificates.value.find((root) => root.publicKey.equals(key.value.publicKey));
  if (certificate === undefined) return corrupt('root.key does not belong to root.pem');
  const domain = domainOf(certificate);
  if (domain !== null && domain !== trustDomain) {
    const message = `The store belongs to the trust domain ${domain}, for good; ${trustDomain} needs a store of its own.`;
    return err(new HeddleError('HEDDLE_TRUST_DOMAIN_FIXED', message));
  }
  const others = certificates.value.filter((root) => root !== certificate);
  const bundle = trustBundleOf(trustDomain, [certificate, ...others]);
  if (!bundle.ok) return corrupt(`root.pem: ${bundle.error[0]?.message}`);
  if (clock.now() > certificate.notAfterMs) {
    const when = new Date(certificate.notAfterMs).toISOString();
    return err(new HeddleError('HEDDLE_CA_ROOT_EXPIRED', `The root certificate expired at ${when}.`));
  }
  return ok({ certificate, signingKey: await importSigningKey(key.value.privateKey), bundle: bundle.value });
}
