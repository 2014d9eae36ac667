import { type Problem, type Result, err, ok } from '@heddle/base';
import { type Certificate, certificateSha256, encodeCertificates, parseCertificates } from './certificate.ts';
import { type KeyPair, exportPrivateKey } from './key-pair.ts';
import type { SpiffeId } from './spiffe-id.ts';
import { type TrustBundle, trustBundles } from './trust-bundle.ts';
import { verifyChain } from './verify-chain.ts';

/**
 * A workload's certificate and key, ready for a TLS context. Prints and serialises without the key, which is not an
 * own property: a copy by spreading lacks it.
 */
export class WorkloadCertificate {
  /** PEM, leaf first, without the root. */
  readonly certificateChain: string;
  /** Changes with the content: contexts are cached by it. */
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly notBeforeMs: number;
  /** Milliseconds since 1970. */
  readonly notAfterMs: number;
  /** Of the leaf, lower-case hexadecimal. */
  readonly serial: string;
  readonly #privateKey: string;

  constructor(key: KeyPair, chain: readonly [Certificate, ...Certificate[]]) {
    const [leaf] = chain;
    this.certificateChain = encodeCertificates(chain);
    this.version = certificateSha256(leaf).toString('base64url');
    this.notBeforeMs = leaf.notBeforeMs;
    this.notAfterMs = leaf.notAfterMs;
    this.serial = leaf.serial;
    this.#privateKey = exportPrivateKey(key);
  }

  /** PKCS#8 PEM. Never logged, never dumped. */
  get privateKey(): string {
    return this.#privateKey;
  }
}

function invalid(message: string): { readonly ok: false; readonly error: readonly Problem[] } {
  return err([{ code: 'HEDDLE_CERTIFICATE_INVALID', severity: 'error', message }]);
}

/**
 * Takes a certificate that somebody issued for `key` only if peers will take it too: it is for this very key and
 * identity, good now for both sides of a handshake, and ends in a root of the bundle.
 */
export function acceptIssuedCertificate(
  key: KeyPair,
  id: SpiffeId,
  chainPem: string,
  bundle: TrustBundle,
  nowMs: number,
): Result<WorkloadCertificate, readonly Problem[]> {
  const chain = parseCertificates(chainPem);
  if (!chain.ok) return chain;
  const [leaf, ...rest] = chain.value;
  if (leaf === undefined) return invalid('there is no certificate');
  if (!leaf.publicKey.equals(key.publicKey)) return invalid('the certificate is for another key');
  for (const role of ['client', 'server'] as const) {
    const peer = verifyChain(chain.value, trustBundles(bundle), role, nowMs);
    if (!peer.ok) return invalid(peer.error.detail);
    if (peer.value.id !== id) return invalid(`the certificate is for ${peer.value.id} and not for ${id}`);
  }
  // Istio's protocol puts the root behind the chain; peers have it, and it would be sent in each handshake.
  const isRoot = (link: Certificate): boolean =>
    bundle.roots.some((root) => root.x509.raw.equals(link.x509.raw));
  return ok(new WorkloadCertificate(key, [leaf, ...rest.filter((link) => !isRoot(link))]));
}
