// An accepted connection of HTTP/2 among the connections of its filter chain: its limits and its end.
import type { TimerWheelEntry } from '@heddle/base';
import type { ServedConnection, ServedConnections } from '../codec/served-connections.ts';
import type { ExchangeSource } from '../codec/server-stream.ts';
import { AgeLimit, type Aging } from '../http1/connection-age.ts';
import type { ServerSettings } from '../http1/server-settings.ts';
import type { Http2Metrics } from '../stats/http2-metrics.ts';
import type { Connection, TransportError } from '../transport/transport.ts';
import { type ConnectionFault, Faults } from './connection-fault.ts';
import type { Http2Context, Http2ServerOwner } from './connection-owner.ts';
import { ErrorCode } from './error-code.ts';
import type { Http2Options } from './http2-options.ts';
import type { Http2Stream } from './http2-stream.ts';
import { ServedStream, type ServedStreamOwner } from './served-stream.ts';
import { Http2ServerConnection } from './server-connection.ts';

/** How a listener serves HTTP/2. */
export interface Http2ServerSettings {
  readonly options: Http2Options;
  readonly metrics: Http2Metrics;
  /** `drain_timeout`: between the announcement that a connection ends and its last stream, milliseconds. */
  readonly drainTimeoutMs: number;
}

export class ServedHttp2Connection
  implements ServedConnection, ServedStreamOwner, Http2ServerOwner, TimerWheelEntry, Aging
{
  deadlineMs = -1;
  wheelSlot = -1;
  readonly connection: Connection;
  readonly acceptedAt: number;
  readonly exchanges: ExchangeSource;
  /** What the bytes are for. */
  readonly codec: Http2ServerConnection;
  isIdle = true;
  private readonly settings: ServerSettings;
  private readonly http2: Http2ServerSettings;
  private readonly context: Http2Context;
  private readonly connections: ServedConnections;
  private readonly ageLimit: AgeLimit | null;
  private requests = 0;
  private isClosedLocally = false;

  constructor(
    connection: Connection,
    exchanges: ExchangeSource,
    settings: ServerSettings,
    http2: Http2ServerSettings,
    context: Http2Context,
    connections: ServedConnections,
    acceptedAt: number,
  ) {
    this.connection = connection;
    this.exchanges = exchanges;
    this.settings = settings;
    this.http2 = http2;
    this.context = context;
    this.connections = connections;
    this.acceptedAt = acceptedAt;
    const { metrics, maxConnectionDurationMs } = settings;
    metrics.http2ConnectionsTotal.value++;
    metrics.http2ConnectionsActive.value++;
    const { options, metrics: http2Metrics } = http2;
    const { bytesSent, bytesReceived } = metrics;
    this.codec = new Http2ServerConnection(
      connection,
      this,
      { options, metrics: http2Metrics, bytesSent, bytesReceived },
      context,
    );
    this.ageLimit = maxConnectionDurationMs > 0 ? new AgeLimit(this) : null;
    if (this.ageLimit !== null) context.timers.arm(this.ageLimit, maxConnectionDurationMs, acceptedAt);
    this.armIdle();
  }

  get forwardsExpectation(): boolean {
    return this.settings.forwardsExpectation;
  }

  drain(): void {
    this.isClosedLocally = true;
    this.codec.drain(this.isIdle ? 0 : this.http2.drainTimeoutMs);
  }

  dismiss(): void {
    if (this.codec.isDraining) return;
    this.settings.metrics.drainCloses.value++;
    this.isClosedLocally = true;
    this.codec.drain(this.http2.drainTimeoutMs);
  }

  onLingerTimeout(): void {
    this.settings.metrics.delayedCloseTimeouts.value++;
  }

  /** TimerWheelEntry: nothing has been asked for long. */
  onTimeout(): void {
    if (!this.isIdle) return;
    this.settings.metrics.idleTimeouts.value++;
    this.drain();
  }

  /** `max_connection_duration` is over. */
  onTooOld(): void {
    this.settings.metrics.maxDurationsReached.value++;
    this.drain();
  }

  // ServedStreamOwner

  onResponse(): void {
    if (!this.codec.isDraining && this.connections.drainPolicy.shouldClose()) this.dismiss();
  }

  countResponse(status: number): void {
    this.settings.metrics.countResponse(status);
  }

  // Http2ServerOwner

  onStream(stream: Http2Stream): ServedStream {
    const { maxRequests, metrics } = this.settings;
    if (++this.requests === maxRequests) {
      metrics.maxRequestsReached.value++;
      this.codec.drain(this.http2.drainTimeoutMs);
    }
    return new ServedStream(this, stream);
  }

  onBusyChanged(isBusy: boolean): void {
    this.isIdle = !isBusy;
    if (!isBusy) this.armIdle();
  }

  onLingering(): void {
    this.isClosedLocally = true;
    this.connections.lingerClose(this, this.settings.delayedCloseTimeoutMs);
  }

  onFault(fault: ConnectionFault): void {
    const { metrics } = this.settings;
    // Floods are no error of the protocol, and are counted by what they consist of.
    if (fault === Faults.prematureResets) metrics.prematureResetsExceeded.value++;
    else if (fault.code !== ErrorCode.enhanceYourCalm && fault.code !== ErrorCode.noError)
      metrics.protocolErrors.value++;
  }

  onGone(_error: TransportError | null): void {
    const { timers, clock } = this.context;
    const { metrics } = this.settings;
    timers.disarm(this);
    if (this.ageLimit !== null) timers.disarm(this.ageLimit);
    metrics.http2ConnectionsActive.value--;
    metrics.countClosed(
      this.isClosedLocally,
      !this.isIdle,
      this.connection.tls !== null,
      clock.monotonic() - this.acceptedAt,
    );
    this.connections.remove(this);
  }

  private armIdle(): void {
    const { idleTimeoutMs } = this.settings;
    if (idleTimeoutMs > 0) this.context.timers.arm(this, idleTimeoutMs);
  }
}
