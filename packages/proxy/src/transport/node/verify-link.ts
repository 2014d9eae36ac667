import type { TLSSocket } from 'node:tls';
import type { Clock, Logger } from '@heddle/base';
import { type PeerRole, trustBundles, verifyPeer } from '@heddle/identity';
import type { LinkSecurity } from '../../tls/link-security.ts';
import { PresentedCertificate } from '../../tls/peer-certificate.ts';
import type { TlsSession } from '../transport.ts';
import type { LinkSecrets } from './secure-contexts.ts';
import { tlsSessionOf } from './tls-session.ts';

/** A connection's peer after a handshake in which nothing was wrong. */
export interface VerifiedLink {
  /** SPIFFE id. */
  readonly identity: string;
  readonly session: TlsSession;
}

/** Judges the peer of a socket whose handshake has ended; null where it is refused, which has been logged then. */
export type VerifyPeer = () => VerifiedLink | null;

/** Checks the chain, the dates and the identity of a peer after a handshake, resumed ones included. */
export function verifyLink(
  socket: TLSSocket,
  security: LinkSecurity,
  secrets: LinkSecrets,
  role: PeerRole,
  clock: Clock,
  logger: Logger,
): VerifiedLink | null {
  const result = verifyPeer(socket, trustBundles(secrets.trustBundle), role, clock);
  const refuse = (fault: string, detail: string): null => {
    logger.warn('peer refused', { peer: socket.remoteAddress, fault, detail });
    return null;
  };
  if (!result.ok) return refuse(result.error.fault, result.error.detail);
  const { id, chain } = result.value;
  if (security.acceptPeer !== null && !security.acceptPeer(id)) {
    return refuse('unexpected-identity', `${id} is not who was asked for`);
  }
  return { identity: id, session: tlsSessionOf(socket, new PresentedCertificate(chain[0]!, chain)) };
}
