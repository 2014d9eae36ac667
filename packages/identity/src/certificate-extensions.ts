import { SocketAddress } from 'node:net';
import { DerError, DerReader, readObjectIdentifier } from './der-reader.ts';
import { DerTag, contextConstructedTag, contextTag } from './der-writer.ts';

/** What the extensions of a certificate say (RFC 5280 §4.2.1), as far as a peer's identity hangs on it. */
export interface CertificateExtensions {
  /** BasicConstraints' cA; false where the extension is absent. */
  readonly isAuthority: boolean;
  /** How many intermediates may follow; null for any number. */
  readonly pathLength: number | null;
  /** Null where the extension is absent. */
  readonly keyUsage: KeyUsage | null;
  /** Object identifiers; null where the extension is absent. */
  readonly extendedKeyUsage: readonly string[] | null;
  /** The URI names of the SAN, byte for byte as latin1. */
  readonly uriNames: readonly string[];
  /** The DNS names of the SAN, byte for byte as latin1. */
  readonly dnsNames: readonly string[];
  /** The mail addresses (RFC 822 names) of the SAN, byte for byte as latin1. */
  readonly emailNames: readonly string[];
  /** The IP addresses of the SAN in their shortest text form (RFC 5952). */
  readonly ipNames: readonly string[];
  /** Critical extensions that nothing here understands: such a certificate must be refused (§4.2). */
  readonly unknownCritical: readonly string[];
}

export interface KeyUsage {
  readonly digitalSignature: boolean;
  readonly keyCertSign: boolean;
  readonly crlSign: boolean;
}

export const ExtendedKeyUsageOid = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  any: '2.5.29.37.0',
} as const;

const Oid = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
} as const;
/** Understood by OpenSSL and of no weight here. */
const ignorable = new Set(['2.5.29.14', '2.5.29.35']);

/** GeneralName's choices (RFC 5280 §4.2.1.6). */
const NameChoice = { email: 1, dns: 2, uri: 6, ip: 7 } as const;

interface AlternativeNames {
  readonly uriNames: readonly string[];
  readonly dnsNames: readonly string[];
  readonly emailNames: readonly string[];
  readonly ipNames: readonly string[];
}

const noNames: AlternativeNames = { uriNames: [], dnsNames: [], emailNames: [], ipNames: [] };

function readBasicConstraints(value: Buffer): { isAuthority: boolean; pathLength: number | null } {
  const outer = new DerReader(value);
  const fields = outer.enter(DerTag.sequence);
  outer.end();
  const isAuthority = (fields.optional(DerTag.boolean)?.content[0] ?? 0) !== 0;
  const pathLength = fields.optional(DerTag.integer)?.content ?? null;
  fields.end();
  if (pathLength !== null && (pathLength.length !== 1 || pathLength[0]! > 127))
    throw new DerError('path length');
  return { isAuthority, pathLength: pathLength?.[0] ?? null };
}

function readKeyUsage(value: Buffer): KeyUsage {
  const reader = new DerReader(value);
  // The first byte of a BIT STRING counts unused bits; bit 0 is the highest one of the second.
  const flags = reader.expect(DerTag.bitString).content[1] ?? 0;
  reader.end();
  return {
    digitalSignature: (flags & 0x80) !== 0,
    keyCertSign: (flags & 0x04) !== 0,
    crlSign: (flags & 0x02) !== 0,
  };
}

function readExtendedKeyUsage(value: Buffer): readonly string[] {
  const reader = new DerReader(value).enter(DerTag.sequence);
  const purposes: string[] = [];
  while (!reader.isAtEnd) purposes.push(readObjectIdentifier(reader.expect(DerTag.objectIdentifier).content));
  return purposes;
}

/**
 * Node's `subjectAltName` is one line of text in which a name may look like several; the bytes leave no doubt, so the
 * names are read from them.
 */
function readAlternativeNames(value: Buffer): AlternativeNames {
  const outer = new DerReader(value);
  const names = outer.enter(DerTag.sequence);
  outer.end();
  const uriNames: string[] = [];
  const dnsNames: string[] = [];
  const emailNames: string[] = [];
  const ipNames: string[] = [];
  while (!names.isAtEnd) {
    const { tag, content } = names.next();
    if (tag === contextTag(NameChoice.uri)) uriNames.push(content.toString('latin1'));
    else if (tag === contextTag(NameChoice.dns)) dnsNames.push(content.toString('latin1'));
    else if (tag === contextTag(NameChoice.email)) emailNames.push(content.toString('latin1'));
    else if (tag === contextTag(NameChoice.ip)) ipNames.push(readIpAddress(content));
  }
  return { uriNames, dnsNames, emailNames, ipNames };
}

function readIpAddress(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw new DerError('IP address');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address;
}

/** Calls `visit` for each extension of a DER certificate. */
function forEachExtension(
  certificate: Buffer,
  visit: (oid: string, isCritical: boolean, value: Buffer) => void,
): void {
  const body = new DerReader(certificate).enter(DerTag.sequence).enter(DerTag.sequence);
  body.optional(contextConstructedTag(0)); // version
  body.expect(DerTag.integer); // serial number
  body.expect(DerTag.sequence); // signature algorithm
  body.expect(DerTag.sequence); // issuer
  body.expect(DerTag.sequence); // validity
  body.expect(DerTag.sequence); // subject
  body.expect(DerTag.sequence); // public key
  body.optional(contextTag(1)); // issuer's unique id
  body.optional(contextTag(2)); // subject's unique id
  const wrapper = body.optional(contextConstructedTag(3));
  body.end();
  if (wrapper === null) return;
  const list = new DerReader(wrapper.content).enter(DerTag.sequence);
  while (!list.isAtEnd) {
    const extension = list.enter(DerTag.sequence);
    const oid = readObjectIdentifier(extension.expect(DerTag.objectIdentifier).content);
    const isCritical = (extension.optional(DerTag.boolean)?.content[0] ?? 0) !== 0;
    visit(oid, isCritical, extension.expect(DerTag.octetString).content);
    extension.end();
  }
}

/** Reads the extensions of a certificate in DER. Throws `DerError` for anything malformed or repeated. */
export function readCertificateExtensions(certificate: Buffer): CertificateExtensions {
  const seen = new Set<string>();
  const unknownCritical: string[] = [];
  let constraints: { isAuthority: boolean; pathLength: number | null } = {
    isAuthority: false,
    pathLength: null,
  };
  let keyUsage: KeyUsage | null = null;
  let extendedKeyUsage: readonly string[] | null = null;
  let names = noNames;
  forEachExtension(certificate, (oid, isCritical, value) => {
    if (seen.has(oid)) throw new DerError(`extension ${oid} appears twice`);
    seen.add(oid);
    if (oid === Oid.basicConstraints) constraints = readBasicConstraints(value);
    else if (oid === Oid.keyUsage) keyUsage = readKeyUsage(value);
    else if (oid === Oid.extendedKeyUsage) extendedKeyUsage = readExtendedKeyUsage(value);
    else if (oid === Oid.subjectAltName) names = readAlternativeNames(value);
    else if (isCritical && !ignorable.has(oid)) unknownCritical.push(oid);
  });
  return { ...constraints, keyUsage, extendedKeyUsage, ...names, unknownCritical };
}
