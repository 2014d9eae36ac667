// The server's side of TLS on accepted connections: one for each listener or filter chain that has TLS.
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import { type Clock, type Logger, systemErrorCode } from '@heddle/base';
import type { LinkSecurity } from '../../tls/link-security.ts';
import type { PlainSocket } from '../plain-socket.ts';
import type { AcceptHandler } from '../transport.ts';
import { HelloReader } from './hello-reader.ts';
import { NodeConnection } from './node-connection.ts';
import { linkSecretsOf } from './secure-contexts.ts';
import { ServerContext } from './server-context.ts';
import { countFailure } from './tls-failure.ts';
import { readDirectly } from './tls-reads.ts';
import { TlsRefusal } from './tls-refusal.ts';
import { verifyLink } from './verify-link.ts';

export interface TlsAcceptorOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What session ticket keys are made of. */
  readonly ticketSecret: Buffer;
  /** Write to handles instead of Node's streams. */
  readonly writesDirectly: boolean;
}

/** Makes secured connections of plain ones. */
export class TlsAcceptor {
  private readonly security: LinkSecurity;
  private readonly options: TlsAcceptorOptions;
  private current: ServerContext | null = null;

  constructor(security: LinkSecurity, options: TlsAcceptorOptions) {
    this.security = security;
    this.options = options;
  }

  /**
   * Takes over a connection of which nothing has been read. What it returns owns the connection until `accept` is called, or
   * `onFailed` once it is gone.
   */
  begin(connection: PlainSocket, accept: AcceptHandler, onFailed: () => void): HelloReader {
    const { alpn } = this.security;
    const onHello = (received: Buffer, offered: readonly string[]): void => {
      // OpenSSL refuses clients that offer other protocols only; as in Envoy they get along without one.
      const isKnown = offered.length === 0 || offered.some((name) => alpn.includes(name));
      this.shakeHands(connection, received, isKnown, accept, onFailed);
    };
    return new HelloReader(connection, alpn.length > 0, onHello, onFailed);
  }

  private shakeHands(
    connection: PlainSocket,
    received: Buffer,
    speaksAlpn: boolean,
    accept: AcceptHandler,
    onFailed: () => void,
  ): void {
    const { clock, logger } = this.options;
    const { security } = this;
    const server = this.context();
    if (server === null) {
      // No identity or no trust yet: authorization fails closed.
      security.observer?.onConnectionError();
      connection.destroy();
      return;
    }
    const raw = connection.handOver(received);
    const socket = new TLSSocket(raw, this.socketOptions(server, speaksAlpn));
    const refusal =
      security.validation === null && !security.server.requiresServerName
        ? null
        : new TlsRefusal(socket, true);
    let isOver = false;
    let secured: NodeConnection | null = null;
    // Errors of TLS come by this event for as long as no `tls.Server` has taken the socket over, which none does here.
    socket.on('_tlsError', (error: Error) => {
      logger.debug('TLS failed', {
        peer: connection.remoteAddress,
        reason: systemErrorCode(error) || error.message,
      });
      if (!isOver) countFailure(security.observer, error);
      isOver = true;
      if (secured === null) socket.destroy();
      else secured.onError(error);
    });
    // A client that goes before the handshake is over gets no answer.
    const onEnd = (): void => void socket.destroy();
    socket.once('end', onEnd);
    socket.once('close', onFailed);
    socket.once('secure', () => {
      const link = verifyLink(socket, security, server.secrets, 'client', clock, logger);
      if (!link.ok) {
        isOver = true;
        if (refusal === null) socket.destroy();
        else refusal.send(link.error, raw, clock);
        return;
      }
      refusal?.cancel();
      socket.off('end', onEnd).off('close', onFailed);
      secured = new NodeConnection(socket, logger);
      secured.establish(link.value, connection);
      if (this.options.writesDirectly) secured.writeDirectly();
      readDirectly(socket, secured);
      secured.begin(accept);
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

  private socketOptions(server: ServerContext, speaksAlpn: boolean): TLSSocketOptions {
    const { alpn, validation } = this.security;
    const { chooseByName } = server;
    return {
      isServer: true,
      secureContext: server.context,
      requestCert: validation !== null,
      // On a socket this asks no more than that there be a certificate: what it is worth, `verifyLink` asks.
      rejectUnauthorized: validation !== null && this.security.server.requiresClientCertificate,
      ...(speaksAlpn && alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
      ...(chooseByName === null ? {} : { SNICallback: chooseByName }),
    };
  }
}
