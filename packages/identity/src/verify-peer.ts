import type { X509Certificate } from 'node:crypto';
import { type Clock, type Result, err, ok } from '@heddle/base';
import { type Certificate, certificateOf } from './certificate.ts';
import type { TrustBundles } from './trust-bundle.ts';
import { type PeerRefusal, type PeerRole, type VerifiedPeer, verifyChain } from './verify-chain.ts';

/** As much of a `tls.TLSSocket` as the check needs. */
export interface PeerSocket {
  getPeerX509Certificate(): X509Certificate | undefined;
  isSessionReused(): boolean;
}

/** Presented chains longer than this are cut; `verifyChain` follows fewer links anyway. */
const maxPresented = 4;

/** The outcome of OpenSSL's own check of the handshake: an error's code, or null when it is satisfied. */
export function handshakeError(socket: PeerSocket): string | null {
  // `_handle.verifyError` is no documented interface of Node's, but there is no other way to ask a server's socket.
  const { _handle: handle } = socket as {
    _handle?: { verifyError?: () => (Error & { code?: string }) | null } | null;
  };
  if (typeof handle?.verifyError !== 'function') return 'the connection is gone';
  const error = handle.verifyError();
  return error === null || error === undefined ? null : (error.code ?? error.message);
}

/** What the peer showed, leaf first; empty for nothing. */
export function presentedChain(
  leaf: X509Certificate | undefined,
): Result<readonly Certificate[], PeerRefusal> {
  const chain: Certificate[] = [];
  for (let next = leaf; next !== undefined && chain.length < maxPresented;) {
    const certificate = certificateOf(next);
    if (!certificate.ok) {
      return err({ fault: 'malformed-certificate', detail: 'a certificate of the peer is malformed' });
    }
    chain.push(certificate.value);
    next = next.issuerCertificate;
  }
  return ok(chain);
}

/**
 * Checks who is at the other end of a TLS socket whose handshake has ended. To be called on both sides, after every
 * handshake, before a single byte from the peer is passed on or a byte is sent that the peer should not see:
 *
 * - A server-side `new TLSSocket(raw, {isServer, requestCert, rejectUnauthorized: true})` emits `secure` for clients
 *   with foreign certificates too, and goes on to emit their data: only `tls.Server` looks at the outcome. `authorized` is false on such sockets whatever happened. So OpenSSL is asked here, by `verifyError()`.
 * - Node's client calls `checkServerIdentity` after full handshakes only. On a resumed session nobody looks at names,
 *   and certificates that have expired since are not looked at by anybody either.
 * - After a resumed handshake a client's socket does not know its peer's certificate at all
 *   (`getPeerX509Certificate()` is undefined); the server's knows the leaf. A client that keeps sessions must keep the
 *   `chain` of the `VerifiedPeer` with each and give it back as `remembered`; without one, resumption is refused.
 *   The ticket proves that the server is the one that showed this chain; its dates and root are checked anew.
 * - OpenSSL checks a chain against all roots it was given; with federated trust domains that union would let the root
 *   of one domain sign identities of another. Here the chain must end in the bundle of its own domain.
 * - On the server a resumed session lacks intermediates. Leaves directly under a root, as our own authority makes
 *   them, are checked in full; others are refused then, and their client connects again without a session.
 *
 * `role` is the peer's: a server verifies its `client`.
 */
export function verifyPeer(
  socket: PeerSocket,
  bundles: TrustBundles,
  role: PeerRole,
  clock: Clock,
  remembered: readonly Certificate[] = [],
): Result<VerifiedPeer, PeerRefusal> {
  const leaf = socket.getPeerX509Certificate();
  const isRemembered = leaf === undefined && role === 'server' && socket.isSessionReused();
  const chain = isRemembered ? ok(remembered) : presentedChain(leaf);
  if (!chain.ok) return chain;
  // Our own check comes first because it can name the reason; OpenSSL's must be passed all the same.
  const peer = verifyChain(chain.value, bundles, role, clock.now());
  if (!peer.ok) return peer;
  const error = handshakeError(socket);
  if (error === null) return peer;
  return err({
    fault: 'handshake-failed',
    detail: `TLS refused the certificate of ${peer.value.id}: ${error}`,
  });
}
