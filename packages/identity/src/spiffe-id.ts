import { type Brand, type Problem, type Result, err, ok } from '@heddle/base';

/**
 * A workload's identity, `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`, in its one canonical spelling:
 * two ids are equal exactly when their strings are. Made by `parseSpiffeId` and `workloadSpiffeId` only.
 */
export type SpiffeId = Brand<string, 'SpiffeId'>;

/** The name of a trust domain, such as `cluster.local`. Made by `parseTrustDomain` only. */
export type TrustDomain = Brand<string, 'TrustDomain'>;

/** The parts of a workload's identity. */
export interface SpiffeIdParts {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Namespace and service account that only control planes are given certificates for. */
export const controlPlaneNamespace = 'heddle-system';
export const controlPlaneServiceAccount = 'control-plane';

const scheme = 'spiffe://';
/** SPIFFE-ID §2.3: longer ids need not be accepted by anybody. */
const maxIdBytes = 2048;
/** SPIFFE-ID §2.1 takes the limit from RFC 3986 §3.2.2. */
const maxTrustDomainBytes = 255;
// SPIFFE-ID §2.1 and §2.2. Percent-encoding is not allowed anywhere, so characters are bytes.
const trustDomainPattern = /^[a-z0-9._-]+$/;
const segmentPattern = /^[A-Za-z0-9._-]+$/;

function invalid(message: string): { readonly ok: false; readonly error: readonly Problem[] } {
  return err([{ code: 'HEDDLE_SPIFFE_ID_INVALID', severity: 'error', message }]);
}

/** Shows foreign text in a message: short, and without anything that a terminal would obey. */
function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function trustDomainFault(text: string): string | null {
  if (text === '') return 'the trust domain is empty';
  if (text.length > maxTrustDomainBytes)
    return `the trust domain is longer than ${maxTrustDomainBytes} bytes`;
  if (text.includes('@')) return `the trust domain ${shown(text)} holds user information`;
  if (text.includes(':')) return `the trust domain ${shown(text)} holds a port`;
  if (!trustDomainPattern.test(text)) {
    return `the trust domain ${shown(text)} may hold only lower-case letters, digits, '.', '-' and '_'`;
  }
  return null;
}

function segmentFault(name: string, text: string): string | null {
  if (text === '') return `the ${name} is empty`;
  if (text === '.' || text === '..') return `the ${name} is a relative path segment ${shown(text)}`;
  if (!segmentPattern.test(text)) {
    return `the ${name} ${shown(text)} may hold only letters, digits, '.', '-' and '_'`;
  }
  return null;
}

/** Reads the name of a trust domain as SPIFFE-ID §2.1 has it. */
export function parseTrustDomain(text: string): Result<TrustDomain, readonly Problem[]> {
  const fault = trustDomainFault(text);
  return fault === null ? ok(text as TrustDomain) : invalid(fault);
}

/** Reads the identity of a workload; everything but the canonical spelling is refused (SPIFFE-ID §2). */
export function parseSpiffeId(text: string): Result<SpiffeId, readonly Problem[]> {
  if (text.length > maxIdBytes) return invalid(`the SPIFFE id is longer than ${maxIdBytes} bytes`);
  if (!text.startsWith(scheme)) return invalid(`${shown(text)} does not start with ${scheme}`);
  if (text.includes('?')) return invalid(`${shown(text)} has a query`);
  if (text.includes('#')) return invalid(`${shown(text)} has a fragment`);
  const [trustDomain = '', ...segments] = text.slice(scheme.length).split('/');
  const fault = trustDomainFault(trustDomain);
  if (fault !== null) return invalid(fault);
  for (const segment of segments) {
    const fault = segmentFault('path segment', segment);
    if (fault !== null) return invalid(fault);
  }
  if (segments.length !== 4 || segments[0] !== 'ns' || segments[2] !== 'sa') {
    return invalid(
      `${shown(text)} is not of the form ${scheme}<trust domain>/ns/<namespace>/sa/<service account>`,
    );
  }
  return ok(text as SpiffeId);
}

/** Makes the identity of a workload of its parts. */
export function workloadSpiffeId(parts: SpiffeIdParts): Result<SpiffeId, readonly Problem[]> {
  const fault =
    trustDomainFault(parts.trustDomain) ??
    segmentFault('namespace', parts.namespace) ??
    segmentFault('service account', parts.serviceAccount);
  if (fault !== null) return invalid(fault);
  return parseSpiffeId(`${scheme}${parts.trustDomain}/ns/${parts.namespace}/sa/${parts.serviceAccount}`);
}

/** The identity that the control plane of a trust domain proves to its clients. */
export function controlPlaneSpiffeId(trustDomain: TrustDomain): SpiffeId {
  // A trust domain is at most 255 bytes of legal characters: the result is canonical.
  return `${scheme}${trustDomain}/ns/${controlPlaneNamespace}/sa/${controlPlaneServiceAccount}` as SpiffeId;
}

/** The URI that a root carries: the trust domain itself, with no path (X509-SVID §3.2). */
export function trustDomainUri(trustDomain: TrustDomain): string {
  return `${scheme}${trustDomain}`;
}

/** Reads the URI of a root, `spiffe://<trust domain>`. */
export function parseTrustDomainUri(text: string): Result<TrustDomain, readonly Problem[]> {
  if (!text.startsWith(scheme)) return invalid(`${shown(text)} does not start with ${scheme}`);
  return parseTrustDomain(text.slice(scheme.length));
}

/** All parts of an identity. */
export function spiffeIdParts(id: SpiffeId): SpiffeIdParts {
  const segments = id.slice(scheme.length).split('/');
  return { trustDomain: segments[0]!, namespace: segments[2]!, serviceAccount: segments[4]! };
}

/** The trust domain of an identity. */
export function trustDomainOf(id: SpiffeId): TrustDomain {
  return id.slice(scheme.length, id.indexOf('/', scheme.length)) as TrustDomain;
}

/** The namespace of an identity. */
export function namespaceOf(id: SpiffeId): string {
  return spiffeIdParts(id).namespace;
}

/** The service account of an identity. */
export function serviceAccountOf(id: SpiffeId): string {
  return spiffeIdParts(id).serviceAccount;
}
