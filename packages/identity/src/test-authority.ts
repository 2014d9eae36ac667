/**
 * Makes certificates for tests, good ones and such as no decent authority would sign. Tests only: packages import it by
 * its own name, and no program does.
 */
import { sign } from 'node:crypto';
import type { ExtendedKeyUsageOid } from './certificate-extensions.ts';
import { type Certificate, parseCertificate } from './certificate.ts';
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
import { type KeyPair, exportPrivateKey, generateKeyPair } from './key-pair.ts';
import { encodePem } from './pem.ts';
import { type TrustDomain, parseTrustDomain } from './spiffe-id.ts';
import { type TrustBundle, trustBundleOf } from './trust-bundle.ts';

const generalizedTime = 0x18;
const utf8String = 0x0c;
const hourMs = 3_600_000;

/** Flags of KeyUsage in the bit string's first byte. */
export const Usage = { digitalSignature: 0x80, keyCertSign: 0x04, crlSign: 0x02 } as const;

export interface TestCertificateOptions {
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** Milliseconds since 1970. */
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  readonly isAuthority?: boolean;
  readonly pathLength?: number;
  /** Null leaves the extension out. */
  readonly keyUsage?: number | null;
  /** Null leaves the extension out. */
  readonly extendedKeyUsage?: readonly string[] | null;
  /** Further extensions in DER. */
  readonly extensions?: readonly Buffer[];
  readonly key?: KeyPair;
  readonly name?: string;
}

/** A certificate with its key, and an authority where it may sign. */
export interface TestCertificate {
  readonly certificate: Certificate;
  readonly key: KeyPair;
  readonly pem: string;
  readonly keyPem: string;
  readonly name: Buffer;
}

let nextSerial = 1;

function encodeTime(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(generalizedTime, Buffer.from(text));
}

function encodeName(commonName: string): Buffer {
  if (commonName === '') return der(DerTag.sequence);
  const attribute = der(
    DerTag.sequence,
    derObjectIdentifier('2.5.4.3'),
    der(utf8String, Buffer.from(commonName)),
  );
  return der(DerTag.sequence, der(DerTag.set, attribute));
}

/** One extension in DER. */
export function encodeExtension(oid: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [derTrue()] : [];
  return der(DerTag.sequence, derObjectIdentifier(oid), ...critical, der(DerTag.octetString, value));
}

function encodeExtensions(options: TestCertificateOptions): Buffer {
  const list: Buffer[] = [];
  const { keyUsage, extendedKeyUsage } = options;
  if (options.isAuthority === true) {
    const pathLength = options.pathLength === undefined ? [] : [derSmallInteger(options.pathLength)];
    list.push(encodeExtension('2.5.29.19', true, der(DerTag.sequence, derTrue(), ...pathLength)));
  }
  if (keyUsage !== undefined && keyUsage !== null) {
    list.push(encodeExtension('2.5.29.15', true, derBitString(Buffer.from([keyUsage]))));
  }
  if (extendedKeyUsage !== undefined && extendedKeyUsage !== null) {
    list.push(
      encodeExtension('2.5.29.37', false, der(DerTag.sequence, ...extendedKeyUsage.map(derObjectIdentifier))),
    );
  }
  const uris = (options.uris ?? []).map((uri) => der(contextTag(6), Buffer.from(uri, 'latin1')));
  const names = [
    ...(options.dnsNames ?? []).map((name) => der(contextTag(2), Buffer.from(name, 'latin1'))),
    ...uris,
  ];
  if (names.length > 0) list.push(encodeExtension('2.5.29.17', false, der(DerTag.sequence, ...names)));
  return der(contextConstructedTag(3), der(DerTag.sequence, ...list, ...(options.extensions ?? [])));
}

/** Makes a certificate, signed by `issuer` or, without one, by itself. */
export function makeCertificate(options: TestCertificateOptions, issuer?: TestCertificate): TestCertificate {
  const key = options.key ?? generateKeyPair();
  const name = encodeName(options.name ?? '');
  const algorithm = der(DerTag.sequence, derObjectIdentifier('1.2.840.10045.4.3.2'));
  const nowMs = Date.now();
  const body = der(
    DerTag.sequence,
    der(contextConstructedTag(0), derSmallInteger(2)),
    der(DerTag.integer, Buffer.from([1, nextSerial >> 8, nextSerial++ & 0xff])),
    algorithm,
    issuer?.name ?? name,
    der(
      DerTag.sequence,
      encodeTime(options.notBeforeMs ?? nowMs - hourMs),
      encodeTime(options.notAfterMs ?? nowMs + hourMs),
    ),
    name,
    key.publicKey.export({ type: 'spki', format: 'der' }),
    encodeExtensions(options),
  );
  const signature = sign('sha256', body, (issuer?.key ?? key).privateKey);
  const bytes = der(DerTag.sequence, body, algorithm, derBitString(signature));
  const certificate = parseCertificate(bytes);
  if (!certificate.ok) throw new Error(certificate.error[0]?.message);
  return {
    certificate: certificate.value,
    key,
    pem: encodePem('CERTIFICATE', bytes),
    keyPem: exportPrivateKey(key),
    name,
  };
}

/** Makes the root of a trust domain. */
export function makeRoot(trustDomain: string, options: TestCertificateOptions = {}): TestCertificate {
  return makeCertificate({
    uris: [`spiffe://${trustDomain}`],
    isAuthority: true,
    keyUsage: Usage.keyCertSign | Usage.crlSign,
    name: `root of ${trustDomain} ${nextSerial}`,
    ...options,
  });
}

/** What a decent leaf's extended key usage holds. */
export const bothRoles: readonly (typeof ExtendedKeyUsageOid)[keyof typeof ExtendedKeyUsageOid][] = [
  '1.3.6.1.5.5.7.3.1',
  '1.3.6.1.5.5.7.3.2',
];

/** Makes a workload's certificate; `options` may spoil it. */
export function makeLeaf(
  issuer: TestCertificate,
  uri: string,
  options: TestCertificateOptions = {},
): TestCertificate {
  return makeCertificate(
    { uris: [uri], keyUsage: Usage.digitalSignature, extendedKeyUsage: bothRoles, ...options },
    issuer,
  );
}

/** A trust domain known to be well-formed. */
export function trustDomain(name: string): TrustDomain {
  const parsed = parseTrustDomain(name);
  if (!parsed.ok) throw new Error(parsed.error[0]?.message);
  return parsed.value;
}

/** The bundle of roots that are known to be good. */
export function bundleOf(name: string, ...roots: readonly TestCertificate[]): TrustBundle {
  const bundle = trustBundleOf(
    trustDomain(name),
    roots.map((root) => root.certificate),
  );
  if (!bundle.ok) throw new Error(bundle.error[0]?.message);
  return bundle.value;
}
