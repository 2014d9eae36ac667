// The server's side of TLS on accepted sockets: one for each listener or filter chain that has TLS.
import type { Socket } from 'node:net';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import { type Clock, type Logger, systemErrorCode } from '@heddle/base';
import type { LinkSecurity } from '../../tls/link-security.ts';
import type { AcceptHandler } from '../transport.ts';
import { type Addresses, NodeConnection } from './node-connection.ts';
import { linkSecretsOf } from './secure-contexts.ts';
import { ServerContext } from './server-context.ts';
import { countFailure } from './tls-failure.ts';
import { readDirectly } from './tls-reads.ts';
import { verifyLink } from './verify-link.ts';

export interface TlsAcceptorOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly handshakeTimeoutMs: number;
  /** What session ticket keys are made of. */
  readonly ticketSecret: Buffer;
  /** Write to handles instead of Node's streams. */
  readonly writesDirectly: boolean;
}

/** Makes secured connections of accepted sockets. */
export class TlsAcceptor {
  private readonly security: LinkSecurity;
  private readonly options: TlsAcceptorOptions;
  private current: ServerContext | null = null;

  constructor(security: LinkSecurity, options: TlsAcceptorOptions) {
    this.security = security;
    this.options = options;
  }

  /** Shakes hands over `raw`, whose bytes read so far have been put back, and calls `accept` if all is well. */
  shakeHands(raw: Socket, addresses: Addresses | null, accept: AcceptHandler): void {
    raw.on('error', ignoreError);
    const { clock, logger, handshakeTimeoutMs } = this.options;
    const { security } = this;
    const server = this.context();
    if (server === null) {
      // No identity or no trust yet: authorization fails closed.
      security.observer?.onConnectionError();
      raw.destroy();
      return;
    }
    const socket = new TLSSocket(raw, this.socketOptions(server));
    let isOver = false;
    let connection: NodeConnection | null = null;
    const drop = (error: Error): void => {
      logger.debug('TLS failed', {
        peer: raw.remoteAddress,
        reason: systemErrorCode(error) || error.message,
      });
      if (!isOver) countFailure(security.observer, error);
      isOver = true;
      if (connection === null) socket.destroy();
      else connection.onError(error);
    };
    // Errors of TLS come by this event for as long as no `tls.Server` has taken the socket over, which none does here.
    socket.on('_tlsError', drop);
    const timer = clock.setTimer(handshakeTimeoutMs, () => drop(new Error('timeout')));
    socket.once('close', () => timer.cancel());
    socket.once('secure', () => {
      timer.cancel();
      const link = verifyLink(socket, security, server.secrets, 'client', clock, logger);
      if (link === null) {
        // The handshake is over, so that TLS has no alert for it any more: an orderly end instead of a reset.
        isOver = true;
        socket.end();
        socket.destroySoon();
        return;
      }
      connection = new NodeConnection(socket, logger);
      connection.establish(link, addresses);
      if (this.options.writesDirectly) connection.writeDirectly();
      readDirectly(socket, connection);
      connection.handler = accept(connection);
    });
  }

  /** The context in force. Live connections keep the one they were made with. */
  private context(): ServerContext | null {
    const secrets = linkSecretsOf(this.security);
    if (secrets === null) return null;
    if (this.current?.secrets.version !== secrets.version) {
      const { ticketSecret, clock } = this.options;
      this.current = new ServerContext(this.security, secrets, ticketSecret, clock);
    }
    return this.current;
  }

  private socketOptions(server: ServerContext): TLSSocketOptions {
    const { alpn, validation } = this.security;
    const { chooseByName } = server;
    return {
      isServer: true,
      secureContext: server.context,
      requestCert: validation !== null,
      // On a socket this asks no more than that there be a certificate: what it is worth, `verifyLink` asks.
      rejectUnauthorized: validation !== null && this.security.server.requiresClientCertificate,
      ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
      ...(chooseByName === null ? {} : { SNICallback: chooseByName }),
    };
  }
}

function ignoreError(): void {
  // 'close' follows; there is nobody to tell.
}
