import { createHash } from 'node:crypto';
import { type Problem, type Result, err, ok } from '@heddle/base';
import { type Certificate, encodeCertificates, parseCertificates } from './certificate.ts';
import { type TrustDomain, parseTrustDomainUri } from './spiffe-id.ts';

/** The roots that speak for one trust domain. Several during a rotation. */
export interface TrustBundle {
  readonly trustDomain: TrustDomain;
  readonly roots: readonly Certificate[];
  /** The roots in PEM, nothing else. */
  readonly pem: string;
  /** Changes with the content: contexts are cached by it. */
  readonly version: string;
}

/** Bundles by trust domain: one's own and those of federated domains. */
export type TrustBundles = ReadonlyMap<TrustDomain, TrustBundle>;

function invalid(message: string): { readonly ok: false; readonly error: readonly Problem[] } {
  return err([{ code: 'HEDDLE_TRUST_BUNDLE_INVALID', severity: 'error', message }]);
}

/** Says what keeps a certificate from being a root of a trust domain; null when nothing does. Dates are not looked at. */
function rootFault(root: Certificate, trustDomain: TrustDomain): string | null {
  const { extensions } = root;
  if (!extensions.isAuthority) return 'a root is no authority';
  if (extensions.keyUsage !== null && !extensions.keyUsage.keyCertSign)
    return 'a root may not sign certificates';
  // X509-SVID §3.2: a root need not say its trust domain, but must not say another.
  for (const uri of extensions.uriNames) {
    const named = parseTrustDomainUri(uri);
    if (!named.ok || named.value !== trustDomain) return `a root belongs to ${uri} and not to ${trustDomain}`;
  }
  return null;
}

/** Makes a bundle of roots. */
export function trustBundleOf(
  trustDomain: TrustDomain,
  roots: readonly Certificate[],
): Result<TrustBundle, readonly Problem[]> {
  if (roots.length === 0) return invalid('the trust bundle is empty');
  for (const root of roots) {
    const fault = rootFault(root, trustDomain);
    if (fault !== null) return invalid(fault);
  }
  const pem = encodeCertificates(roots);
  const version = createHash('sha256').update(`${trustDomain}\n${pem}`).digest('base64url');
  return ok({ trustDomain, roots, pem, version });
}

/** Reads the roots of a trust domain from PEM. */
export function parseTrustBundle(
  trustDomain: TrustDomain,
  pem: string,
): Result<TrustBundle, readonly Problem[]> {
  const roots = parseCertificates(pem);
  return roots.ok ? trustBundleOf(trustDomain, roots.value) : roots;
}

/** Bundles by their trust domains. */
export function trustBundles(...bundles: readonly TrustBundle[]): TrustBundles {
  return new Map(bundles.map((bundle) => [bundle.trustDomain, bundle]));
}
