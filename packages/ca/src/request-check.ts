import { type KeyObject, createPublicKey } from 'node:crypto';
import { type HeddleError, type Result, ok } from '@heddle/base';
import { type SpiffeId, decodePem } from '@heddle/identity';
import { type Failure, failure } from './ca-error.ts';
import { x509 } from './x509-library.ts';

/** RSA-4096 with a subject and names is a sixth of this. */
const maxRequestBytes = 16 * 1024;
const leastRsaBits = 2048;
/** Larger keys cost whoever checks them too much. */
const mostRsaBits = 4096;
const curves = new Set(['prime256v1', 'secp384r1']);
const hashes = new Set(['SHA-256', 'SHA-384', 'SHA-512']);
const subjectAltName = '2.5.29.17';

function invalid(reason: string): Failure {
  return failure('HEDDLE_CERTIFICATE_REQUEST_INVALID', `The certificate request is refused: ${reason}.`);
}

function keyFault(key: KeyObject): string | null {
  const details = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec') {
    return curves.has(details.namedCurve ?? '') ? null : 'its key is on another curve than P-256 and P-384';
  }
  if (key.asymmetricKeyType !== 'rsa') return 'its key is neither ECDSA nor RSA';
  const bits = details.modulusLength ?? 0;
  if (bits < leastRsaBits) return `its RSA key has ${bits} bits, fewer than ${leastRsaBits}`;
  if (bits > mostRsaBits) return `its RSA key has ${bits} bits, more than ${mostRsaBits}`;
  const exponent = details.publicExponent ?? 0n;
  return exponent === 65_537n ? null : 'its RSA key has an unusual exponent';
}

/** Names in a request are no authority; but one that asks for somebody else's is a mistake to be told about. */
function nameFault(request: x509.Pkcs10CertificateRequest, id: SpiffeId): string | null {
  for (const extension of request.extensions) {
    if (extension.type !== subjectAltName) continue;
    const names = new x509.SubjectAlternativeNameExtension(extension.rawData).names.items;
    const [name] = names;
    if (names.length !== 1 || name?.type !== 'url' || name.value !== id)
      return `it asks for other names than ${id}`;
  }
  return null;
}

/**
 * Reads a certificate request (PKCS#10 in PEM) from somebody who may have a certificate for `id`: the sender must own
 * the key (the request is signed with it), and the key must be of a kind that peers take. Answers with the public key,
 * which is all that a certificate takes over from a request.
 */
export async function checkCertificateRequest(
  pem: string,
  id: SpiffeId,
): Promise<Result<KeyObject, HeddleError>> {
  if (pem.length > maxRequestBytes) return invalid('it is too long');
  const blocks = decodePem('CERTIFICATE REQUEST', pem);
  if (!blocks.ok) return invalid(blocks.error);
  const [block] = blocks.value;
  if (block === undefined || blocks.value.length !== 1) return invalid('it is not a single one');
  try {
    const request = new x509.Pkcs10CertificateRequest(block);
    // Judged before the signature is: an enormous key makes that expensive.
    const key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
    const fault = keyFault(key);
    if (fault !== null) return invalid(fault);
    if (!hashes.has(request.signatureAlgorithm.hash.name)) return invalid('it is signed with a weak hash');
    if (!(await request.verify())) return invalid('it is not signed with its own key');
    const names = nameFault(request, id);
    return names === null ? ok(key) : invalid(names);
  } catch {
    return invalid('it cannot be read');
  }
}
