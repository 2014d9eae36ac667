import type { Logger } from '@heddle/base';
import { Http2ClientConnection } from '../../http2/client-connection.ts';
import type { ConnectionFault } from '../../http2/connection-fault.ts';
import type { Http2ClientOwner, Http2Context, Http2Settings } from '../../http2/connection-owner.ts';
import type { Http2Stream } from '../../http2/http2-stream.ts';
import type { Http2StreamHandler } from '../../http2/stream-handler.ts';
import type { Connection, ConnectOptions, Transport, TransportError } from '../../transport/transport.ts';

/** Who makes calls over a link. */
export interface LinkOwner {
  /** Streams may be opened; told again when more of them may. */
  onCapacity(): void;
  /** No stream can be opened any more; those that are open go on. */
  onLeaving(link: GrpcLink): void;
  /** The link is gone. `failure` says in a sentence without a full stop why it never was one; null where it was. */
  onGone(link: GrpcLink, failure: string | null): void;
}

/** One connection to a server of gRPC. */
export class GrpcLink implements Http2ClientOwner {
  private readonly options: ConnectOptions;
  private readonly owner: LinkOwner;
  private readonly logger: Logger;
  private readonly http2: Http2ClientConnection;
  private readonly connection: Connection;
  private isReady = false;
  private failure: string | null = null;

  /** Starts to connect; nothing is told during the call. */
  constructor(
    transport: Transport,
    options: ConnectOptions,
    owner: LinkOwner,
    settings: Http2Settings,
    context: Http2Context,
    logger: Logger,
  ) {
    this.options = options;
    this.owner = owner;
    this.logger = logger;
    this.http2 = new Http2ClientConnection(this, settings, context);
    this.connection = transport.connect(options, this.http2);
    this.http2.attach(this.connection);
  }

  /** A stream to be used at once; null where none may be opened now. */
  openStream(handler: Http2StreamHandler): Http2Stream | null {
    return this.isReady ? this.http2.openStream(handler) : null;
  }

  destroy(): void {
    this.connection.destroy();
  }

  // Http2ClientOwner

  onConnected(): void {
    if (this.options.security !== null && this.connection.tls?.alpn !== 'h2') {
      this.failure = 'the server does not speak HTTP/2';
      this.destroy();
      return;
    }
    this.isReady = true;
    this.owner.onCapacity();
  }

  onSettings(): void {
    // `onCapacity` follows.
  }

  onReadEnd(): void {
    // Nothing is put off until then.
  }

  onCapacity(): void {
    this.owner.onCapacity();
  }

  onGoingAway(): void {
    this.owner.onLeaving(this);
  }

  onFault({ detail }: ConnectionFault): void {
    this.logger.info('The connection is given up', { reason: detail });
  }

  onGone(error: TransportError | null): void {
    if (!this.isReady) this.failure ??= this.describe(error);
    this.owner.onGone(this, this.failure);
  }

  private describe(error: TransportError | null): string {
    if (error?.kind === 'connect-timeout') return `no connection within ${this.options.timeoutMs} ms`;
    return error?.detail ?? 'the connection was closed';
  }
}
