// Who is at the other end of a TLS connection: asked after every handshake, resumed ones included.
import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { type Clock, type Logger, type Result, assertNever, err, ok } from '@heddle/base';
import {
  type Certificate,
  type PeerFault,
  type PeerRole,
  certificateSha256,
  handshakeError,
  presentedChain,
  trustBundles,
  verifyPeer,
} from '@heddle/identity';
import type { LinkSecurity, LinkValidation, PeerFaultKind } from '../../tls/link-security.ts';
import { PresentedCertificate } from '../../tls/peer-certificate.ts';
import type { RootsValidation } from '../../tls/tls-config.ts';
import { describeAddress } from '../address.ts';
import type { TlsSession } from '../transport.ts';
import type { LinkSecrets } from './secure-contexts.ts';
import { TlsAlert } from './tls-refusal.ts';
import { tlsSessionOf } from './tls-session.ts';

/** A connection's peer after a handshake in which nothing was wrong. */
export interface VerifiedLink {
  /** SPIFFE id; empty where the peer has none. */
  readonly identity: string;
  readonly session: TlsSession;
  /** What the peer showed, leaf first: a client keeps it with the session. Empty for no certificate. */
  readonly chain: readonly Certificate[];
}

interface Refusal {
  readonly fault:
    | PeerFault
    | 'unexpected-identity'
    | 'unexpected-name'
    | 'unexpected-hash'
    | 'no-server-name';
  readonly detail: string;
  /** What OpenSSL has against the certificate, by its name in Node. */
  readonly code?: string;
}

interface AcceptedPeer {
  readonly identity: string;
  readonly chain: readonly Certificate[];
}

/** A peer that nobody trusts must not write long lines into the log. */
const maxLoggedNames = 4;

const nobody: AcceptedPeer = { identity: '', chain: [] };

/**
 * Judges the peer of a socket whose handshake has ended; an alert where it is refused, which has been logged and counted then.
 * `remembered` is the chain that a server showed when the client got the session that it resumes: such a handshake shows none.
 */
export function verifyLink(
  socket: TLSSocket,
  security: LinkSecurity,
  secrets: LinkSecrets,
  role: PeerRole,
  clock: Clock,
  logger: Logger,
  remembered: readonly Certificate[] = [],
): Result<VerifiedLink, TlsAlert> {
  const peer = judge(socket, security, secrets, role, clock, remembered);
  if (!peer.ok) {
    const { fault, detail } = peer.error;
    logger.warn('peer refused', {
      owner: security.observer?.owner ?? '',
      local: describeAddress({ host: socket.localAddress ?? '', port: socket.localPort ?? 0 }),
      peer: describeAddress({ host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }),
      serverName: role === 'server' ? security.serverName : socket.servername || '',
      presented: presentedNames(socket, remembered).join(' '),
      fault,
      detail,
    });
    if (fault === 'no-server-name') security.observer?.onConnectionError();
    else security.observer?.onPeerRefused(kindOf(fault));
    return err(alertOf(peer.error));
  }
  const { identity, chain } = peer.value;
  const [leaf] = chain;
  const session = tlsSessionOf(socket, leaf === undefined ? null : new PresentedCertificate(leaf, chain));
  security.observer?.onHandshake(session);
  return ok({ identity, session, chain });
}

/** What the peer's certificate calls it, believed or not. */
function presentedNames(socket: TLSSocket, remembered: readonly Certificate[]): string[] {
  const shown = presentedChain(socket.getPeerX509Certificate());
  const leaf = (shown.ok ? shown.value[0] : undefined) ?? remembered[0];
  if (leaf === undefined) return [];
  return [...leaf.extensions.uriNames, ...leaf.extensions.dnsNames].slice(0, maxLoggedNames);
}

function judge(
  socket: TLSSocket,
  security: LinkSecurity,
  secrets: LinkSecrets,
  role: PeerRole,
  clock: Clock,
  remembered: readonly Certificate[],
): Result<AcceptedPeer, Refusal> {
  const { server, validation } = security;
  const isServer = role === 'client';
  if (isServer && server.requiresServerName && typeof socket.servername !== 'string') {
    return err({ fault: 'no-server-name', detail: 'the client names no server (SNI)' });
  }
  if (validation === null) return ok(nobody);
  if (isServer && !server.requiresClientCertificate && socket.getPeerX509Certificate() === undefined) {
    return ok(nobody);
  }
  return validation.kind === 'roots'
    ? judgeByRoots(socket, validation, role, clock, remembered)
    : judgeByBundle(socket, validation, secrets, role, clock, remembered);
}

function judgeByBundle(
  socket: TLSSocket,
  validation: Extract<LinkValidation, { readonly kind: 'mesh' }>,
  secrets: LinkSecrets,
  role: PeerRole,
  clock: Clock,
  remembered: readonly Certificate[],
): Result<AcceptedPeer, Refusal> {
  const bundles = secrets.bundle === null ? trustBundles() : trustBundles(secrets.bundle);
  const result = verifyPeer(socket, bundles, role, clock, remembered);
  if (!result.ok) return result;
  const { id, chain } = result.value;
  if (validation.acceptPeer !== null && !validation.acceptPeer(id)) {
    return err({ fault: 'unexpected-identity', detail: `${id} is not who was asked for` });
  }
  return ok({ identity: id, chain });
}

/** OpenSSL has followed the chain to the roots it was given; names, hashes and what time has changed since are looked at here. */
function judgeByRoots(
  socket: TLSSocket,
  validation: RootsValidation,
  role: PeerRole,
  clock: Clock,
  remembered: readonly Certificate[],
): Result<AcceptedPeer, Refusal> {
  const shown = socket.getPeerX509Certificate();
  const isRemembered = shown === undefined && role === 'server' && socket.isSessionReused();
  const chain = isRemembered ? ok(remembered) : presentedChain(shown);
  if (!chain.ok) return chain;
  const [leaf] = chain.value;
  if (leaf === undefined) return err({ fault: 'no-certificate', detail: 'the peer shows no certificate' });
  const error = handshakeError(socket);
  if (error !== null)
    return err({ fault: 'handshake-failed', detail: `TLS refused the certificate: ${error}`, code: error });
  // A resumed handshake looks at no dates.
  const now = clock.now();
  if (now < leaf.notBeforeMs)
    return err({ fault: 'not-yet-valid', detail: 'the certificate is not valid yet' });
  if (now > leaf.notAfterMs) return err({ fault: 'expired', detail: 'the certificate has expired' });
  const { sans, certificateHashes, publicKeyHashes } = validation;
  if (sans.length > 0 && !sans.some((san) => san.matches(leaf.extensions))) {
    return err({ fault: 'unexpected-name', detail: 'no name of the certificate is one that was asked for' });
  }
  const hasHashes = certificateHashes.length > 0 || publicKeyHashes.length > 0;
  if (hasHashes && !certificateHashes.includes(certificateSha256(leaf).toString('hex'))) {
    const key = leaf.publicKey.export({ type: 'spki', format: 'der' });
    const keyHash = createHash('sha256').update(key).digest('base64');
    if (!publicKeyHashes.includes(keyHash)) {
      return err({
        fault: 'unexpected-hash',
        detail: 'neither certificate nor key is one that was asked for',
      });
    }
  }
  const [uri] = leaf.extensions.uriNames;
  return ok({ identity: uri?.startsWith('spiffe://') === true ? uri : '', chain: chain.value });
}

function kindOf(fault: Exclude<Refusal['fault'], 'no-server-name'>): PeerFaultKind {
  switch (fault) {
    case 'no-certificate':
      return 'no-certificate';
    case 'unexpected-identity':
    case 'unexpected-name':
      return 'san';
    case 'unexpected-hash':
      return 'hash';
    default:
      return 'error';
  }
}

/** As BoringSSL and with it Envoy say it. */
function alertOf({ fault, code = '' }: Refusal): TlsAlert {
  switch (fault) {
    case 'no-server-name':
      return TlsAlert.missingExtension;
    case 'no-certificate':
      return TlsAlert.certificateRequired;
    case 'malformed-certificate':
    case 'not-yet-valid':
      return TlsAlert.badCertificate;
    case 'expired':
      return TlsAlert.certificateExpired;
    case 'wrong-usage':
      return TlsAlert.unsupportedCertificate;
    case 'unknown-trust-domain':
    case 'untrusted-chain':
      return TlsAlert.unknownAuthority;
    case 'unexpected-hash':
      return TlsAlert.badCertificateHash;
    case 'no-identity':
    case 'unexpected-identity':
    case 'unexpected-name':
      return TlsAlert.certificateUnknown;
    case 'handshake-failed':
      return alertOfCode(code);
    default:
      return assertNever(fault);
  }
}

/** What OpenSSL has against a certificate, by its name in Node, as the alert that BoringSSL makes of it. */
export function alertOfCode(code: string): TlsAlert {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return TlsAlert.certificateExpired;
    case 'CERT_NOT_YET_VALID':
    case 'CERT_REJECTED':
    case 'CERT_UNTRUSTED':
      return TlsAlert.badCertificate;
    case 'CERT_REVOKED':
      return TlsAlert.certificateRevoked;
    case 'CERT_SIGNATURE_FAILURE':
      return TlsAlert.decryptError;
    case 'INVALID_PURPOSE':
      return TlsAlert.unsupportedCertificate;
    case 'CERT_CHAIN_TOO_LONG':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'INVALID_CA':
    case 'PATH_LENGTH_EXCEEDED':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return TlsAlert.unknownAuthority;
    default:
      return TlsAlert.certificateUnknown;
  }
}
