import { X509Certificate, createHash, createPrivateKey } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { errorMessage } from '@heddle/base';
import { type Certificate, certificateOf, decodePem } from '@heddle/identity';
import type { CertificateSecret } from './link-security.ts';

/** A certificate with its key from the configuration, kept out of everything that is printed. */
export class StaticCertificate implements CertificateSecret {
  readonly certificateChain: string;
  readonly privateKey: string;
  readonly version: string;
  /** The DNS names it is good for, in lower case. */
  readonly dnsNames: readonly string[];
  /** One context can hold one certificate per type of key. */
  readonly keyType: string;
  readonly leaf: Certificate;
  /** Where the chain was read; empty where it stands in the configuration itself. */
  readonly file: string;

  constructor(certificateChain: string, privateKey: string, leaf: Certificate, file: string) {
    this.certificateChain = certificateChain;
    this.privateKey = privateKey;
    this.leaf = leaf;
    this.file = file;
    this.version = createHash('sha256').update(`${certificateChain}\n${privateKey}`).digest('base64url');
    this.dnsNames = leaf.extensions.dnsNames.map((name) => name.toLowerCase());
    this.keyType = leaf.publicKey.asymmetricKeyType ?? '';
  }

  toJSON(): string {
    return this.version;
  }
}

/** What of a certificate and its key is broken. */
export interface CertificateFault {
  readonly part: 'chain' | 'key';
  readonly message: string;
}

/** Reads a certificate chain and its key, both PEM; `file` is where the chain was read, empty for nowhere. */
export function readCertificate(chain: string, key: string, file = ''): StaticCertificate | CertificateFault {
  const leaf = readLeaf(chain);
  if (typeof leaf === 'string') return { part: 'chain', message: leaf };
  try {
    const privateKey = createPrivateKey(key);
    if (!leaf.x509.checkPrivateKey(privateKey)) {
      return { part: 'key', message: 'is not the key of the certificate' };
    }
  } catch {
    // OpenSSL's own words are of no help, and might quote the key.
    return { part: 'key', message: 'holds no private key in PEM that can be read without a password' };
  }
  try {
    createSecureContext({ cert: chain, key });
  } catch (error) {
    return { part: 'chain', message: `is refused by OpenSSL: ${errorMessage(error)}` };
  }
  return new StaticCertificate(chain, key, leaf, file);
}

function readLeaf(chain: string): Certificate | string {
  const blocks = decodePem('CERTIFICATE', chain);
  if (!blocks.ok) return `is no certificate chain: ${blocks.error}`;
  try {
    const certificate = certificateOf(new X509Certificate(blocks.value[0]!));
    if (certificate.ok) return certificate.value;
  } catch {
    // Told below.
  }
  return 'holds a certificate that cannot be read';
}

/** What is wrong with roots in PEM; null for nothing. */
export function rootsFault(roots: string): string | null {
  const blocks = decodePem('CERTIFICATE', roots);
  if (!blocks.ok) return `is no list of certificates: ${blocks.error}`;
  try {
    for (const block of blocks.value) new X509Certificate(block).validToDate.getTime();
    return null;
  } catch {
    return 'holds a certificate that cannot be read';
  }
}
