import { type KeyObject, X509Certificate, createHash } from 'node:crypto';
import { type Problem, type Result, err, ok } from '@heddle/base';
import { type CertificateExtensions, readCertificateExtensions } from './certificate-extensions.ts';
import { decodePem } from './pem.ts';
import { type SpiffeId, parseSpiffeId } from './spiffe-id.ts';

/** A parsed certificate: what OpenSSL makes of it and what the mesh wants to know of it. */
export interface Certificate {
  readonly x509: X509Certificate;
  readonly publicKey: KeyObject;
  readonly extensions: CertificateExtensions;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  /** Milliseconds since 1970; the certificate is good until then, that moment included. */
  readonly notAfterMs: number;
  /** Lower-case hexadecimal. */
  readonly serial: string;
}

/** More is neither made nor needed here, and each costs whoever checks it a signature. */
const maxChainLength = 8;

function invalid(message: string): { readonly ok: false; readonly error: readonly Problem[] } {
  return err([{ code: 'HEDDLE_CERTIFICATE_INVALID', severity: 'error', message }]);
}

/** Takes a certificate that Node has parsed, such as a TLS peer's. */
export function certificateOf(x509: X509Certificate): Result<Certificate, readonly Problem[]> {
  try {
    return ok({
      x509,
      publicKey: x509.publicKey,
      extensions: readCertificateExtensions(x509.raw),
      notBeforeMs: x509.validFromDate.getTime(),
      notAfterMs: x509.validToDate.getTime(),
      serial: x509.serialNumber.toLowerCase(),
    });
  } catch {
    return invalid('the certificate is malformed');
  }
}

/** Reads one certificate in DER. */
export function parseCertificate(bytes: Buffer): Result<Certificate, readonly Problem[]> {
  let x509: X509Certificate;
  try {
    x509 = new X509Certificate(bytes);
  } catch {
    return invalid('the certificate cannot be read');
  }
  // OpenSSL overlooks bytes behind the certificate; a hash over the file would not.
  if (!x509.raw.equals(bytes)) return invalid('the certificate is not in canonical encoding');
  return certificateOf(x509);
}

/** Reads the certificates of a PEM text in their order, at least one. */
export function parseCertificates(pem: string): Result<readonly Certificate[], readonly Problem[]> {
  const blocks = decodePem('CERTIFICATE', pem);
  if (!blocks.ok) return invalid(blocks.error);
  if (blocks.value.length > maxChainLength)
    return invalid(`there are more than ${maxChainLength} certificates`);
  const certificates: Certificate[] = [];
  for (const block of blocks.value) {
    const certificate = parseCertificate(block);
    if (!certificate.ok) return certificate;
    certificates.push(certificate.value);
  }
  return ok(certificates);
}

/** The certificates as PEM, in their order. */
export function encodeCertificates(certificates: readonly Certificate[]): string {
  return certificates.map((certificate) => certificate.x509.toString()).join('');
}

/** SHA-256 of the DER form. */
export function certificateSha256(certificate: Certificate): Buffer {
  return createHash('sha256').update(certificate.x509.raw).digest();
}

/** The workload's identity: the one URI SAN (X509-SVID §2 forbids several). */
export function spiffeIdOf(certificate: Certificate): Result<SpiffeId, readonly Problem[]> {
  const { uriNames } = certificate.extensions;
  const [name] = uriNames;
  if (name === undefined) return invalid('the certificate has no URI SAN');
  if (uriNames.length > 1) return invalid(`the certificate has ${uriNames.length} URI SANs instead of one`);
  return parseSpiffeId(name);
}
