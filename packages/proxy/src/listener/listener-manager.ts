// Binds listeners as the configuration says and follows its changes without touching live connections.
import type { Logger, Timer } from '@heddle/base';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import type { ListenerConfig } from '../config/listener-config.ts';
import type { StackEnvironment } from '../stack/http-stack.ts';
import type { SecretProvider } from '../tls/link-security.ts';
import { addressAt, describeAddress, hostAndPort, isUnixAddress } from '../transport/address.ts';
import type { TcpAddress, Transport } from '../transport/transport.ts';
import type { ActiveChain } from './active-chain.ts';
import { ActiveListener, type ListenerHost, type OriginalDestinations } from './active-listener.ts';
import type { BindGate } from './bind-gate.ts';

export interface ListenerManagerOptions {
  readonly transport: Transport;
  readonly environment: StackEnvironment;
  readonly secrets: SecretProvider;
  readonly logger: Logger;
  readonly originalDestinations: OriginalDestinations;
  readonly gate: BindGate;
}

/**
 * Callers that have confirmed a withdrawal may have a request on its way over a connection that looks idle here, or be
 * in the middle of a handshake. Closed now, a request that must not be repeated would fail.
 */
const lateArrivalMs = 200;

/** How often a process that has a successor asks clients to go there. */
const dismissalsMs = 5_000;

export class ListenerManager implements ListenerHost {
  readonly transport: Transport;
  readonly environment: StackEnvironment;
  readonly secrets: SecretProvider;
  readonly logger: Logger;
  readonly originalDestinations: OriginalDestinations;
  private readonly gate: BindGate;
  private readonly active = new Map<string, ActiveListener>();
  private readonly draining = new Set<ActiveChain>();
  /** Changes of one listener are applied one after the other. */
  private readonly pending = new Map<string, Promise<void>>();
  private isDraining = false;

  constructor(options: ListenerManagerOptions) {
    this.transport = options.transport;
    this.environment = options.environment;
    this.secrets = options.secrets;
    this.logger = options.logger;
    this.originalDestinations = options.originalDestinations;
    this.gate = options.gate;
  }

  /** Requests in flight on all listeners. */
  get busy(): number {
    let busy = 0;
    for (const { chains } of this.active.values()) for (const chain of chains) busy += chain.busy;
    for (const chain of this.draining) busy += chain.busy;
    return busy;
  }

  /** Open connections on all listeners. */
  get connections(): number {
    let connections = 0;
    for (const { chains } of this.active.values()) for (const chain of chains) connections += chain.size;
    for (const chain of this.draining) connections += chain.size;
    return connections;
  }

  /** Filter chains that were replaced or removed and have connections yet. */
  get drainingCount(): number {
    return this.draining.size;
  }

  /** Name and address of each listener. */
  get listeners(): readonly {
    readonly name: string;
    readonly host: string;
    readonly port: number;
    readonly connections: number;
  }[] {
    return [...this.active].map(([name, { bound, config, chains }]) => {
      const { host, port } = bound === null ? config.address : hostAndPort(bound.address);
      return { name, host, port, connections: chains.reduce((sum, chain) => sum + chain.size, 0) };
    });
  }

  /**
   * Adds a listener or applies a change. Settings are replaced by one assignment: exchanges under way end with those they
   * began with. Only another address needs another socket. Rejects where the address can't be bound.
   */
  apply(config: ListenerConfig<ConnectionPool>): Promise<void> {
    return this.enqueue(config.name, () => this.applyNow(config));
  }

  /** Removes a listener: its port is freed, its connections end after their exchange. */
  remove(name: string): Promise<void> {
    return this.enqueue(name, () => this.removeNow(name));
  }

  /** Accepts no more, on all listeners or on the inbound ones; what is connected stays so, unlike after `drain`. */
  async stop(inboundOnly: boolean): Promise<number> {
    const stopping = [...this.active.values()].filter(
      (listener) => !listener.isStopped && (!inboundOnly || listener.config.direction === 'inbound'),
    );
    for (const listener of stopping) listener.isStopped = true;
    await Promise.all(stopping.map(({ bound }) => bound?.close() ?? Promise.resolve()));
    return stopping.length;
  }

  /**
   * For a process that has a successor: accepts no more, and waits until nobody is connected any more, `timeoutMs` at most. Who
   * asks for nothing hears from no response that it should go: such clients are asked as well, also those that were in the
   * middle of a handshake.
   */
  async departure(timeoutMs: number): Promise<void> {
    await this.stop(false);
    const { clock } = this.environment.context;
    let timer: Timer | null = null;
    const dismiss = (): void => {
      for (const { chains } of this.active.values()) for (const chain of chains) chain.dismiss();
      timer = clock.setTimer(dismissalsMs, dismiss);
    };
    dismiss();
    await this.within(timeoutMs, this.whenEmpty());
    timer!.cancel();
  }

  /**
   * Accepts nothing new and lets what runs end; resolves with the requests that were still running when the time was up.
   * For a moment it serves as before, for those who have just heard that they should not come any more.
   */
  async drain(timeoutMs: number): Promise<number> {
    this.end();
    await this.pass(Math.min(lateArrivalMs, timeoutMs));
    await Promise.all([...this.active.keys()].map((name) => this.remove(name)));
    await this.within(timeoutMs, Promise.all([...this.draining].map((chain) => chain.whenEmpty())));
    return this.busy;
  }

  /** Frees all ports and drops all connections. */
  async close(): Promise<void> {
    this.end();
    await Promise.all([...this.active.keys()].map((name) => this.remove(name)));
    for (const chain of this.draining) chain.destroy();
  }

  /** Resolves when no connection is open. Changes of the configuration move them from chain to chain meanwhile. */
  private async whenEmpty(): Promise<void> {
    while (this.connections + this.inspections > 0) {
      const holders = [...this.active.values(), ...this.draining];
      await Promise.all(holders.map((holder) => holder.whenEmpty()));
    }
  }

  private get inspections(): number {
    let inspections = 0;
    for (const listener of this.active.values()) inspections += listener.inspections;
    return inspections;
  }

  /** From now on nothing is bound any more. */
  private end(): void {
    this.isDraining = true;
    this.gate.shut();
  }

  /** Waits for `event`, `timeoutMs` at most. */
  private within(timeoutMs: number, event: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.environment.context.clock.setTimer(timeoutMs, resolve);
      void event.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  // ListenerHost

  listenerAt({ host, port }: TcpAddress): ActiveListener | null {
    let wildcard: ActiveListener | null = null;
    for (const listener of this.active.values()) {
      const { address } = listener.config;
      if (address.port !== port) continue;
      if (address.host === host) return listener;
      if (address.host === '0.0.0.0' || address.host === '::') wildcard = listener;
    }
    return wildcard;
  }

  drainChain(chain: ActiveChain): void {
    this.draining.add(chain);
    chain.drain();
    const { context, drains } = this.environment;
    const deadline = context.clock.setTimer(drains.drainTimeMs, () => chain.destroy());
    void chain.whenEmpty().then(() => {
      deadline.cancel();
      this.draining.delete(chain);
      chain.close();
    });
  }

  private pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.environment.context.clock.setTimer(ms, resolve);
    });
  }

  private enqueue(name: string, change: () => Promise<void>): Promise<void> {
    const previous = this.pending.get(name) ?? Promise.resolve();
    const next = previous.then(change, change);
    this.pending.set(name, next);
    const forget = (): void => {
      if (this.pending.get(name) === next) this.pending.delete(name);
    };
    next.then(forget, forget);
    return next;
  }

  private async applyNow(config: ListenerConfig<ConnectionPool>): Promise<void> {
    if (this.isDraining) return;
    const known = this.active.get(config.name);
    if (known !== undefined && isSameSocket(known.config, config)) {
      known.update(config);
      return;
    }
    await this.gate.pass(() => this.open(config));
  }

  /** Listens, where another address was listened on before instead of that. */
  private async open(config: ListenerConfig<ConnectionPool>): Promise<void> {
    if (this.isDraining) return;
    await this.removeNow(config.name);
    const listener = new ActiveListener(config, this);
    try {
      if (config.bindsToPort) await this.bind(listener);
    } catch (error) {
      listener.discard();
      throw error;
    }
    this.active.set(config.name, listener);
  }

  private async bind(listener: ActiveListener): Promise<void> {
    const { transport, logger } = this;
    const { name, address, isTransparent } = listener.config;
    const { host, port, mode } = address;
    const target = addressAt(host, port);
    const where = mode === undefined || !isUnixAddress(target) ? target : { ...target, mode };
    const bound = await transport.listen({ address: where, security: null, isTransparent }, listener.accept);
    listener.bound = bound;
    logger.info('Listening', { listener: name, address: describeAddress(bound.address) });
  }

  private async removeNow(name: string): Promise<void> {
    const listener = this.active.get(name);
    if (listener === undefined) return;
    this.active.delete(name);
    await listener.bound?.close();
    listener.retire();
  }
}

/** True where the bound socket can go on serving, whatever else has changed. */
function isSameSocket(a: ListenerConfig<ConnectionPool>, b: ListenerConfig<ConnectionPool>): boolean {
  return (
    a.address.host === b.address.host &&
    a.address.port === b.address.port &&
    a.isTransparent === b.isTransparent &&
    a.bindsToPort === b.bindsToPort &&
    a.statPrefix === b.statPrefix &&
    a.ignoresTotalLimit === b.ignoresTotalLimit
  );
}
