import { sign } from 'node:crypto';
import {
  DerTag,
  contextConstructedTag,
  contextTag,
  der,
  derBitString,
  derObjectIdentifier,
  derSmallInteger,
  derTrue,
} from './der-writer.ts';
import type { KeyPair } from './key-pair.ts';
import { encodePem } from './pem.ts';
import type { SpiffeId } from './spiffe-id.ts';

const Oid = {
  /** RFC 2985 §5.4.2. */
  extensionRequest: '1.2.840.113549.1.9.14',
  /** RFC 5280 §4.2.1.6. */
  subjectAltName: '2.5.29.17',
  /** RFC 5758 §3.2. */
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
} as const;

/** GeneralName's choice for a URI (RFC 5280 §4.2.1.6). */
const uriChoice = 6;

/**
 * Makes a certificate request (PKCS#10, RFC 2986) in PEM that asks for one identity, signed with its own key. The
 * subject is empty and the name stands in a critical URI SAN, as in the certificate that is to come of it.
 */
export function createCertificateRequest(key: KeyPair, id: SpiffeId): string {
  const subjectAltName = der(
    DerTag.sequence,
    derObjectIdentifier(Oid.subjectAltName),
    derTrue(),
    der(DerTag.octetString, der(DerTag.sequence, der(contextTag(uriChoice), Buffer.from(id, 'ascii')))),
  );
  const attributes = der(
    contextConstructedTag(0),
    der(
      DerTag.sequence,
      derObjectIdentifier(Oid.extensionRequest),
      der(DerTag.set, der(DerTag.sequence, subjectAltName)),
    ),
  );
  const information = der(
    DerTag.sequence,
    derSmallInteger(0),
    der(DerTag.sequence),
    key.publicKey.export({ type: 'spki', format: 'der' }),
    attributes,
  );
  const signature = sign('sha256', information, key.privateKey);
  const request = der(
    DerTag.sequence,
    information,
    der(DerTag.sequence, derObjectIdentifier(Oid.ecdsaWithSha256)),
    derBitString(signature),
  );
  return encodePem('CERTIFICATE REQUEST', request);
}
