import type { ConnectionGroup, ConnectionObserver } from '../listener/connection-group.ts';
import type { AcceptHandler } from '../transport/transport.ts';
import { TcpLogEntry } from './tcp-log-entry.ts';
import { TcpRelay, type TcpRelayOwner } from './tcp-relay.ts';
import type { TcpContext, TcpSettings } from './tcp-settings.ts';

/** The connections of a filter chain that ends in a TCP proxy. */
export class TcpConnections implements ConnectionGroup, TcpRelayOwner {
  readonly accept: AcceptHandler;
  private readonly settings: TcpSettings;
  private readonly context: TcpContext;
  private readonly observer: ConnectionObserver;
  private readonly open = new Set<TcpRelay>();
  /** Who waits for the end of the last connection. */
  private readonly emptied: (() => void)[] = [];

  constructor(settings: TcpSettings, context: TcpContext, observer: ConnectionObserver) {
    this.observer = observer;
    this.settings = settings;
    this.context = context;
    this.accept = (connection) => {
      const relay = new TcpRelay(connection, settings, context, this);
      this.open.add(relay);
      return relay;
    };
  }

  get size(): number {
    return this.open.size;
  }

  begin(): void {
    this.settings.metrics.connectionsTotal.value++;
  }

  abandon(): void {
    // Only what comes is counted.
  }

  /**
   * Nobody but the two ends knows when a byte stream is idle. What an application here has opened it closes itself, when it
   * is told to end: nobody waits for that before.
   */
  get busy(): number {
    return this.settings.isOutbound ? 0 : this.open.size;
  }

  /** As in Envoy: byte streams go on until they end or the time to drain is up. */
  drain(): void {
    // Nothing to tell the two ends.
  }

  dismiss(): void {
    // As above.
  }

  whenEmpty(): Promise<void> {
    if (this.open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.emptied.push(resolve);
    });
  }

  destroy(): void {
    for (const relay of [...this.open]) relay.destroy();
  }

  onRelayClosed(relay: TcpRelay): void {
    this.open.delete(relay);
    const lengthMs = this.context.clock.monotonic() - relay.startedAt;
    const { accessLogs } = this.settings;
    const isLogged = accessLogs.length > 0 || this.observer.hasAccessLogs;
    const entry = isLogged ? new TcpLogEntry(relay, this.context.clock.now(), lengthMs) : null;
    if (entry !== null) for (const log of accessLogs) log.log(entry);
    this.observer.onClosed(relay.downstream, lengthMs, entry);
    if (this.open.size > 0) return;
    for (const resolve of this.emptied.splice(0)) resolve();
  }
}
