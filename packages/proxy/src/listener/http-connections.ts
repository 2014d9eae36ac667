import type { HttpSettings } from '../http/http-settings.ts';
import { ExchangePool } from '../http/exchange-pool.ts';
import { ServedConnections } from '../codec/served-connections.ts';
import { httpAcceptor } from '../http/http-acceptor.ts';
import {
  type HttpStack,
  type HttpStackConfig,
  type StackEnvironment,
  buildHttpStack,
} from '../stack/http-stack.ts';
import type { AcceptHandler } from '../transport/transport.ts';
import type { ConnectionGroup, ConnectionObserver } from './connection-group.ts';

/** The connections of a filter chain that ends in an HTTP connection manager. */
export class HttpConnections implements ConnectionGroup {
  readonly accept: AcceptHandler;
  private readonly environment: StackEnvironment;
  private readonly connections: ServedConnections;
  private readonly exchanges: ExchangePool;
  private readonly slot: { current: HttpSettings };
  private stack: HttpStack;

  constructor(config: HttpStackConfig, environment: StackEnvironment, observer: ConnectionObserver) {
    const { context } = environment;
    this.environment = environment;
    this.stack = buildHttpStack(config, environment);
    const slot = { current: this.stack.settings };
    this.slot = slot;
    this.connections = new ServedConnections(
      context,
      environment.drains.policyOf(config.direction),
      observer,
    );
    this.exchanges = new ExchangePool(context, slot);
    const { connections, exchanges } = this;
    this.accept = httpAcceptor({ connections, exchanges, context, slot });
  }

  get size(): number {
    return this.connections.size;
  }

  get busy(): number {
    return this.connections.busy;
  }

  begin(isSecured: boolean): void {
    this.stack.settings.server.metrics.countAccepted(isSecured);
  }

  abandon(isSecured: boolean, closedHere: boolean, lengthMs: number): void {
    this.stack.settings.server.metrics.countClosed(closedHere, false, isSecured, lengthMs);
  }

  /** Replaces the settings by one assignment: exchanges under way end with those they began with. */
  update(config: HttpStackConfig): void {
    const previous = this.stack;
    this.stack = buildHttpStack(config, this.environment);
    this.slot.current = this.stack.settings;
    previous.close();
  }

  drain(): void {
    this.connections.drain();
  }

  dismiss(): void {
    this.connections.dismiss();
  }

  whenEmpty(): Promise<void> {
    return this.connections.whenEmpty();
  }

  destroy(): void {
    this.connections.destroy();
  }

  /** Gives back what the settings hold: metrics and logs. To be called when no connection is left. */
  close(): void {
    this.exchanges.clear();
    this.stack.close();
  }
}
