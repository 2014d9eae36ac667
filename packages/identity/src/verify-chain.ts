import { type Result, err, ok } from '@heddle/base';
import { type Certificate, spiffeIdOf } from './certificate.ts';
import { ExtendedKeyUsageOid } from './certificate-extensions.ts';
import { type SpiffeId, parseTrustDomainUri, trustDomainOf } from './spiffe-id.ts';
import type { TrustBundle, TrustBundles } from './trust-bundle.ts';

/** What a peer's certificate must be good for: the side of the handshake that showed it. */
export type PeerRole = 'client' | 'server';

/** A peer whose certificate has been checked. */
export interface VerifiedPeer {
  readonly id: SpiffeId;
  /** When the first certificate of its chain expires, in milliseconds since 1970: a link should not outlive it. */
  readonly notAfterMs: number;
  /** What the peer showed, leaf first: a client keeps it with the session, see `verifyPeer`. */
  readonly chain: readonly Certificate[];
}

/** Why a peer is refused; a closed list, fit for a metric's label. */
export type PeerFault =
  | 'handshake-failed'
  | 'no-certificate'
  | 'malformed-certificate'
  | 'no-identity'
  | 'unknown-trust-domain'
  | 'not-yet-valid'
  | 'expired'
  | 'wrong-usage'
  | 'untrusted-chain';

/** A refusal. */
export interface PeerRefusal {
  readonly fault: PeerFault;
  /** One sentence for logs; it repeats names that the peer claims, but no secrets. */
  readonly detail: string;
}

/** Chains here are leaf under root; room for one issuing authority and one above it. */
const maxIntermediates = 2;

// OpenSSL judges signatures by its security level only within a handshake; `X509Certificate.verify` takes any digest.
const acceptedSignatures = new Set([
  'ecdsa-with-SHA256',
  'ecdsa-with-SHA384',
  'ecdsa-with-SHA512',
  'sha256WithRSAEncryption',
  'sha384WithRSAEncryption',
  'sha512WithRSAEncryption',
  'ED25519',
]);

function refuse(fault: PeerFault, detail: string): { readonly ok: false; readonly error: PeerRefusal } {
  return err({ fault, detail });
}

function dateFault(certificate: Certificate, nowMs: number): PeerFault | null {
  if (nowMs < certificate.notBeforeMs) return 'not-yet-valid';
  return nowMs > certificate.notAfterMs ? 'expired' : null;
}

/** X509-SVID §4: a leaf signs handshakes and nothing else. */
function leafUsageFault(leaf: Certificate, role: PeerRole): string | null {
  const { isAuthority, keyUsage, extendedKeyUsage } = leaf.extensions;
  if (isAuthority) return 'the certificate is an authority and not a workload';
  if (keyUsage === null) return 'the certificate does not say what its key may be used for';
  if (!keyUsage.digitalSignature) return 'the key may not be used for signatures';
  if (keyUsage.keyCertSign || keyUsage.crlSign) return 'the key may sign certificates';
  if (extendedKeyUsage === null) return null;
  const purpose = role === 'client' ? ExtendedKeyUsageOid.clientAuth : ExtendedKeyUsageOid.serverAuth;
  return extendedKeyUsage.includes(purpose) ? null : `the certificate is not for a TLS ${role}`;
}

function mayIssue(authority: Certificate, intermediatesBelow: number, bundle: TrustBundle): boolean {
  const { isAuthority, pathLength, keyUsage, uriNames, unknownCritical } = authority.extensions;
  if (!isAuthority || unknownCritical.length > 0) return false;
  if (keyUsage !== null && !keyUsage.keyCertSign) return false;
  if (pathLength !== null && intermediatesBelow > pathLength) return false;
  return uriNames.every((uri) => {
    const named = parseTrustDomainUri(uri);
    return named.ok && named.value === bundle.trustDomain;
  });
}

function isIssuedBy(child: Certificate, authority: Certificate): boolean {
  return (
    acceptedSignatures.has(child.x509.signatureAlgorithm ?? '') &&
    child.x509.checkIssued(authority.x509) &&
    child.x509.verify(authority.publicKey)
  );
}

/** Follows the chain upwards until a root of the bundle has signed it; the moment the first link expires, or null. */
function followToRoot(chain: readonly Certificate[], bundle: TrustBundle, nowMs: number): number | null {
  let notAfterMs = Number.POSITIVE_INFINITY;
  for (const [index, certificate] of chain.slice(0, maxIntermediates + 1).entries()) {
    if (dateFault(certificate, nowMs) !== null) return null;
    notAfterMs = Math.min(notAfterMs, certificate.notAfterMs);
    for (const root of bundle.roots) {
      if (dateFault(root, nowMs) !== null || !mayIssue(root, index, bundle)) continue;
      if (isIssuedBy(certificate, root)) return Math.min(notAfterMs, root.notAfterMs);
    }
    const next = chain[index + 1];
    if (next === undefined || !mayIssue(next, index, bundle) || !isIssuedBy(certificate, next)) return null;
  }
  return null;
}

/**
 * Checks a chain, leaf first, against the bundle of the trust domain that the leaf itself claims: never against all
 * roots at once, because then the root of one domain could sign identities of another (X509-SVID §5.2).
 */
export function verifyChain(
  chain: readonly Certificate[],
  bundles: TrustBundles,
  role: PeerRole,
  nowMs: number,
): Result<VerifiedPeer, PeerRefusal> {
  const [leaf] = chain;
  if (leaf === undefined) return refuse('no-certificate', 'the peer shows no certificate');
  const id = spiffeIdOf(leaf);
  if (!id.ok) return refuse('no-identity', id.error[0]?.message ?? 'the certificate has no identity');
  const bundle = bundles.get(trustDomainOf(id.value));
  if (bundle === undefined) {
    return refuse('unknown-trust-domain', `there is no trust bundle for the trust domain of ${id.value}`);
  }
  const dates = dateFault(leaf, nowMs);
  if (dates !== null) {
    const when = new Date(dates === 'expired' ? leaf.notAfterMs : leaf.notBeforeMs).toISOString();
    return refuse(
      dates,
      `the certificate of ${id.value} ${dates === 'expired' ? 'expired at' : 'is not valid before'} ${when}`,
    );
  }
  const usage = leafUsageFault(leaf, role);
  if (usage !== null) return refuse('wrong-usage', `${id.value}: ${usage}`);
  if (leaf.extensions.unknownCritical.length > 0) {
    return refuse(
      'wrong-usage',
      `${id.value}: the certificate has critical extensions that are not understood`,
    );
  }
  const notAfterMs = followToRoot(chain, bundle, nowMs);
  if (notAfterMs === null) {
    return refuse(
      'untrusted-chain',
      `the certificate of ${id.value} does not end in a root of its trust domain`,
    );
  }
  return ok({ id: id.value, notAfterMs, chain });
}
