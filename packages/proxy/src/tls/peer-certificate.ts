import { type Certificate, certificateSha256, encodeCertificates } from '@heddle/identity';
import type { PeerCertificate } from '../transport/transport.ts';

/** What a peer showed, formatted when somebody asks: most connections are never asked for most of it. */
export class PresentedCertificate implements PeerCertificate {
  readonly fingerprint: string;
  private readonly leaf: Certificate;
  private readonly chain: readonly Certificate[];
  private subjectText: string | null = null;

  /** `chain` is what the peer showed, leaf first, at least one. */
  constructor(leaf: Certificate, chain: readonly Certificate[]) {
    this.leaf = leaf;
    this.chain = chain;
    this.fingerprint = certificateSha256(leaf).toString('hex');
  }

  get subject(): string {
    // Policies ask for it with every request.
    this.subjectText ??= distinguishedName(this.leaf.x509.subject);
    return this.subjectText;
  }

  get issuer(): string {
    return distinguishedName(this.leaf.x509.issuer);
  }

  get serial(): string {
    return this.leaf.serial;
  }

  get uriSans(): readonly string[] {
    return this.leaf.extensions.uriNames;
  }

  get dnsSans(): readonly string[] {
    return this.leaf.extensions.dnsNames;
  }

  get pem(): string {
    return encodeCertificates([this.leaf]);
  }

  get chainPem(): string {
    return encodeCertificates(this.chain);
  }

  get notBeforeMs(): number {
    return this.leaf.notBeforeMs;
  }

  get notAfterMs(): number {
    return this.leaf.notAfterMs;
  }
}

/**
 * RFC 2253 from Node's form, which has one relative name a line in the certificate's order, escaped already but for
 * characters beyond ASCII.
 */
export function distinguishedName(lines: string | undefined): string {
  // Node says undefined for an empty name, whatever its type says.
  if (lines === undefined || lines === '') return '';
  return lines
    .split('\n')
    .toReversed()
    .map((line) => line.replaceAll(/(?<!\\) \+ /g, '+').replaceAll(/[\u0080-\u{10ffff}]/gu, escapeBytes))
    .join(',');
}

function escapeBytes(character: string): string {
  return [...Buffer.from(character)].map((byte) => `\\${byte.toString(16).toUpperCase()}`).join('');
}
