// Hot path.
import type { TimerWheelEntry } from '@heddle/base';
import type { UpstreamConnection, UpstreamConnectionOwner } from '../codec/upstream-connection.ts';
import type { Connection, ConnectionHandler, TransportError } from '../transport/transport.ts';

/** Whose connections these are: a pool. */
export interface PooledConnectionOwner {
  /** What speaks over the connection, which has just been made; `alpn` is the protocol that TLS agreed on, empty for none. */
  createCodec(owner: UpstreamConnectionOwner, alpn: string): UpstreamConnection;
  onConnected(connection: PooledConnection): void;
  onConnectFailed(connection: PooledConnection, error: TransportError): void;
  onExchangeEnded(connection: PooledConnection, ending: number): void;
  onAvailable(connection: PooledConnection): void;
  onGone(connection: PooledConnection): void;
  onTooOld(connection: PooledConnection): void;
}

/** One connection of a pool, from the moment it is begun: nobody, then a codec, is told of its bytes. Its timer is its longest life. */
export class PooledConnection implements ConnectionHandler, UpstreamConnectionOwner, TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  /** Monotonic milliseconds. */
  readonly startedAt: number;
  /** Null while it is being made. */
  codec: UpstreamConnection | null = null;
  /** For the pool: it stands among those that take exchanges. */
  isReady = false;
  /** For the pool: how often it was found idle in a row. */
  idleSweeps = 0;
  private readonly owner: PooledConnectionOwner;
  private connection: Connection | null = null;
  private isDropped = false;

  constructor(owner: PooledConnectionOwner, startedAt: number) {
    this.owner = owner;
    this.startedAt = startedAt;
  }

  /** Gives it the byte stream that is being made: each needs the other. */
  attach(connection: Connection): void {
    this.connection = connection;
  }

  /** It was this side that ended it. */
  get isClosedHere(): boolean {
    return this.codec?.isClosedHere ?? this.isDropped;
  }

  /** It carries nothing. */
  get isIdle(): boolean {
    return this.codec?.openStreams === 0;
  }

  get takesStream(): boolean {
    return this.codec?.takesStream === true;
  }

  /** Drops it, made or being made; exchanges that it carries fail. */
  close(): void {
    this.isDropped = true;
    if (this.codec === null) this.connection?.destroy();
    else this.codec.close();
  }

  // ConnectionHandler, until there is a codec

  onConnect(): void {
    const connection = this.connection!;
    const codec = this.owner.createCodec(this, connection.tls?.alpn ?? '');
    this.codec = codec;
    codec.attach(connection);
    connection.setHandler(codec.handler);
    codec.handler.onConnect();
  }

  onData(): void {
    // Nothing comes before the connection is made.
  }

  onEnd(): void {
    // As above.
  }

  onDrain(): void {
    // Nothing was written.
  }

  onClose(error: TransportError | null): void {
    this.owner.onConnectFailed(this, error ?? notConnected);
  }

  // UpstreamConnectionOwner

  onConnected(): void {
    this.owner.onConnected(this);
  }

  onExchangeEnded(ending: number): void {
    this.owner.onExchangeEnded(this, ending);
  }

  onAvailable(): void {
    this.owner.onAvailable(this);
  }

  onGone(): void {
    this.owner.onGone(this);
  }

  // TimerWheelEntry

  onTimeout(): void {
    this.owner.onTooOld(this);
  }
}

const notConnected: TransportError = Object.freeze({
  kind: 'connect-failed',
  detail: 'the connection was not made',
});
