// What TLS contexts hold or name: certificates, roots, ticket keys. Static secrets hold the same.
import { createHash } from 'node:crypto';
import {
  type CertificateValidationContext,
  CertificateValidationContext_TrustChainVerification as TrustChainVerification,
  SubjectAltNameMatcher_SanType as SanType,
  type TlsCertificate,
  type TlsSessionTicketKeys,
} from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/common.ts';
import { compileStringMatcher } from '../routing/compile-matchers.ts';
import { SanMatcher, type SanType as SanKind } from '../tls/san-matcher.ts';
import { StaticCertificate, readCertificate, rootsFault } from '../tls/static-certificate.ts';
import { GivenTicketKey, type RootsValidation } from '../tls/tls-config.ts';
import { compileDataSource } from './compile-data-source.ts';
import type { ProblemList } from './problem-list.ts';
import type { TlsMaterials } from './tls-materials.ts';

/** A certificate with its key; null with problems noted. */
export function compileCertificate(
  message: TlsCertificate,
  path: string,
  materials: TlsMaterials,
  problems: ProblemList,
): StaticCertificate | null {
  const chain = compileDataSource(message.certificateChain, `${path}.certificate_chain`, materials, problems);
  const key = compileDataSource(message.privateKey, `${path}.private_key`, materials, problems);
  if (chain === null || key === null) return null;
  const read = readCertificate(chain.bytes.toString(), key.bytes.toString(), chain.file);
  if (read instanceof StaticCertificate) return read;
  const { path: place, label } = read.part === 'chain' ? chain : key;
  problems.invalid(place, `${label}${read.message}`);
  return null;
}

/** A validation context that holds its roots; null with problems noted. */
export function compileRoots(
  message: CertificateValidationContext,
  path: string,
  materials: TlsMaterials,
  problems: ProblemList,
): RootsValidation | null {
  const checks = compileChecks(message, path, problems);
  if (message.trustedCa === undefined) {
    problems.unsupported(
      path,
      'TLS that does not verify its peer',
      'name the roots to verify it with in trusted_ca',
    );
    return null;
  }
  const source = compileDataSource(message.trustedCa, `${path}.trusted_ca`, materials, problems);
  if (source === null) return null;
  const roots = source.bytes.toString();
  const fault = rootsFault(roots);
  if (fault !== null) problems.invalid(source.path, `${source.label}${fault}`);
  return { kind: 'roots', roots, rootsFile: source.file, ...checks };
}

/** The conditions of a validation context beside its roots. */
export function compileChecks(
  message: CertificateValidationContext | undefined,
  path: string,
  problems: ProblemList,
): Pick<RootsValidation, 'sans' | 'certificateHashes' | 'publicKeyHashes'> {
  if (message?.trustChainVerification === TrustChainVerification.ACCEPT_UNTRUSTED) {
    problems.unsupported(`${path}.trust_chain_verification`, 'ACCEPT_UNTRUSTED');
  }
  return {
    sans: compileSans(message, path, problems),
    certificateHashes: (message?.verifyCertificateHash ?? []).map((text, index) => {
      const hash = text.replaceAll(':', '').toLowerCase();
      if (!/^[0-9a-f]{64}$/.test(hash)) {
        problems.invalid(`${path}.verify_certificate_hash[${index}]`, 'must be a SHA-256 in hexadecimal');
      }
      return hash;
    }),
    publicKeyHashes: (message?.verifyCertificateSpki ?? []).map((hash, index) => {
      if (!/^[A-Za-z0-9+/]{43}=$/.test(hash)) {
        problems.invalid(`${path}.verify_certificate_spki[${index}]`, 'must be a SHA-256 in base64');
      }
      return hash;
    }),
  };
}

const sanKinds: Readonly<Partial<Record<SanType, SanKind>>> = {
  [SanType.EMAIL]: 'email',
  [SanType.DNS]: 'dns',
  [SanType.URI]: 'uri',
  [SanType.IP_ADDRESS]: 'ip',
};

function compileSans(
  message: CertificateValidationContext | undefined,
  path: string,
  problems: ProblemList,
): readonly SanMatcher[] {
  const matchers: SanMatcher[] = [];
  for (const [index, san] of (message?.matchTypedSubjectAltNames ?? []).entries()) {
    const place = `${path}.match_typed_subject_alt_names[${index}]`;
    const kind = sanKinds[san.sanType];
    if (san.sanType === SanType.SAN_TYPE_UNSPECIFIED) problems.invalid(`${place}.san_type`, 'is required');
    else if (kind === undefined) problems.unsupported(`${place}.san_type`, 'matching OTHER_NAME');
    if (san.matcher === undefined) {
      problems.invalid(`${place}.matcher`, 'is required');
      continue;
    }
    const matcher = compileStringMatcher(san.matcher, `${place}.matcher`, problems);
    if (matcher !== null && kind !== undefined) matchers.push(new SanMatcher(kind, matcher));
  }
  return matchers;
}

const ticketKeyBytes = 80;

/** Keys for session tickets; what is wrong with them is noted. */
export function compileTicketKeys(
  message: TlsSessionTicketKeys,
  path: string,
  materials: TlsMaterials,
  problems: ProblemList,
): readonly GivenTicketKey[] {
  const keys: GivenTicketKey[] = [];
  if (message.keys.length === 0) problems.invalid(`${path}.keys`, 'must not be empty');
  for (const [index, source] of message.keys.entries()) {
    const data = compileDataSource(source, `${path}.keys[${index}]`, materials, problems);
    if (data === null) continue;
    const { bytes, label } = data;
    if (bytes.length !== ticketKeyBytes) {
      problems.invalid(data.path, `${label}has ${bytes.length} bytes instead of ${ticketKeyBytes}`);
    }
    keys.push(new GivenTicketKey(bytes, createHash('sha256').update(bytes).digest('base64url')));
  }
  return keys;
}
