// The server's side of TLS on accepted sockets: one for each listener or filter chain that has TLS.
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket, createSecureContext } from 'node:tls';
import { type Clock, type Logger, systemErrorCode } from '@heddle/base';
import type { LinkSecurity } from '../../tls/link-security.ts';
import type { AcceptHandler } from '../transport.ts';
import { type Addresses, NodeConnection } from './node-connection.ts';
import { type VerifyPeer, verifyLink } from './verify-link.ts';
import { linkSecretsOf, secureOptions } from './secure-contexts.ts';

/** Makes secured connections of accepted sockets. */
export class TlsAcceptor {
  private readonly security: LinkSecurity;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly handshakeTimeoutMs: number;
  private context: SecureContext | null = null;
  private version = '';

  constructor(security: LinkSecurity, clock: Clock, logger: Logger, handshakeTimeoutMs: number) {
    this.security = security;
    this.clock = clock;
    this.logger = logger;
    this.handshakeTimeoutMs = handshakeTimeoutMs;
  }

  /** Shakes hands over `raw`, whose bytes read so far have been put back, and calls `accept` if all is well. */
  shakeHands(raw: Socket, addresses: Addresses | null, accept: AcceptHandler): void {
    raw.on('error', ignoreError);
    const { security, logger } = this;
    const secrets = linkSecretsOf(security);
    if (secrets === null) {
      // No identity or no trust yet: authorization fails closed.
      raw.destroy();
      return;
    }
    if (this.context === null || secrets.version !== this.version) {
      // Live connections keep the context they were made with; old session tickets are void with the old context.
      this.context = createSecureContext(secureOptions(secrets));
      this.version = secrets.version;
    }
    const socket = new TLSSocket(raw, {
      isServer: true,
      requestCert: true,
      rejectUnauthorized: true,
      secureContext: this.context,
      ALPNProtocols: [...security.alpn],
    });
    const verify: VerifyPeer = () => verifyLink(socket, security, secrets, 'client', this.clock, logger);
    let isSecure = false;
    const drop = (error: Error): void => {
      logger.debug(isSecure ? 'TLS failed' : 'TLS handshake failed', {
        peer: raw.remoteAddress,
        reason: systemErrorCode(error) || error.message,
      });
      socket.destroy();
    };
    // Errors of TLS come by this event for as long as no `tls.Server` has taken the socket over, which none does here.
    socket.on('_tlsError', drop);
    const timer = this.clock.setTimer(this.handshakeTimeoutMs, () => drop(new Error('timeout')));
    socket.once('close', () => timer.cancel());
    socket.once('secure', () => {
      timer.cancel();
      isSecure = true;
      const peer = verify();
      if (peer === null) {
        socket.destroy();
        return;
      }
      const connection = new NodeConnection(socket, logger);
      connection.establish(peer, addresses);
      connection.handler = accept(connection);
      socket.on('data', (chunk: Buffer) => connection.deliver(chunk, chunk.length));
    });
  }
}

function ignoreError(): void {
  // 'close' follows; there is nobody to tell.
}
