// Binds listeners as the configuration says and follows its changes without touching live connections.
import { type Logger, invariant } from '@heddle/base';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import type { ListenerConfig } from '../config/listener-config.ts';
import type { StackEnvironment } from '../stack/http-stack.ts';
import type { SecretProvider } from '../tls/link-security.ts';
import { describeAddress, hostAndPort } from '../transport/address.ts';
import type { Listener, Transport } from '../transport/transport.ts';
import { ActiveChain, tlsKey } from './active-chain.ts';

export interface ListenerManagerOptions {
  readonly transport: Transport;
  readonly environment: StackEnvironment;
  readonly secrets: SecretProvider;
  readonly logger: Logger;
}

/** One bound listener: its socket and the filter chain in force. */
interface ActiveListener {
  config: ListenerConfig<ConnectionPool>;
  chain: ActiveChain;
  readonly bound: Listener;
  /** It accepts no more, though its connections live on. */
  isStopped: boolean;
}

/**
 * Callers that have confirmed a withdrawal may have a request on its way over a connection that looks idle here, or be
 * in the middle of a handshake. Closed now, a request that must not be repeated would fail.
 */
const lateArrivalMs = 200;

export class ListenerManager {
  private readonly options: ListenerManagerOptions;
  private readonly active = new Map<string, ActiveListener>();
  private readonly draining = new Set<ActiveChain>();
  /** Changes of one listener are applied one after the other. */
  private readonly pending = new Map<string, Promise<void>>();
  private isDraining = false;

  constructor(options: ListenerManagerOptions) {
    this.options = options;
  }

  /** Requests in flight on all listeners. */
  get busy(): number {
    let busy = 0;
    for (const { chain } of this.active.values()) busy += chain.group.busy;
    for (const chain of this.draining) busy += chain.group.busy;
    return busy;
  }

  /** Open connections on all listeners. */
  get connections(): number {
    let connections = 0;
    for (const { chain } of this.active.values()) connections += chain.group.size;
    for (const chain of this.draining) connections += chain.group.size;
    return connections;
  }

  /** Filter chains that were replaced or removed and have connections yet. */
  get drainingCount(): number {
    return this.draining.size;
  }

  /** Name and address of each bound listener. */
  get listeners(): readonly {
    readonly name: string;
    readonly host: string;
    readonly port: number;
    readonly connections: number;
  }[] {
    return [...this.active].map(([name, { bound, chain }]) => {
      const { host, port } = hostAndPort(bound.address);
      return { name, host, port, connections: chain.group.size };
    });
  }

  /**
   * Adds a listener or applies a change. Settings are replaced by one assignment: exchanges under way end with those they
   * began with. Only another address or other security needs another socket. Rejects where the address can't be bound.
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
    await Promise.all(stopping.map(({ bound }) => bound.close()));
    return stopping.length;
  }

  /** Accepts no more and waits until nobody is connected any more, `timeoutMs` at most: for a process that has a successor. */
  async departure(timeoutMs: number): Promise<void> {
    await this.stop(false);
    const chains = [...[...this.active.values()].map(({ chain }) => chain), ...this.draining];
    await this.within(timeoutMs, Promise.all(chains.map((chain) => chain.group.whenEmpty())));
  }

  /**
   * Accepts nothing new and lets what runs end; resolves with the requests that were still running when the time was up.
   * For a moment it serves as before, for those who have just heard that they should not come any more.
   */
  async drain(timeoutMs: number): Promise<number> {
    this.isDraining = true;
    await this.pass(Math.min(lateArrivalMs, timeoutMs));
    await Promise.all([...this.active.keys()].map((name) => this.remove(name)));
    await this.within(timeoutMs, Promise.all([...this.draining].map((chain) => chain.group.whenEmpty())));
    return this.busy;
  }

  /** Frees all ports and drops all connections. */
  async close(): Promise<void> {
    this.isDraining = true;
    await Promise.all([...this.active.keys()].map((name) => this.remove(name)));
    for (const chain of this.draining) chain.group.destroy();
  }

  /** Waits for `event`, `timeoutMs` at most. */
  private within(timeoutMs: number, event: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.options.environment.context.clock.setTimer(timeoutMs, resolve);
      void event.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  private pass(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.options.environment.context.clock.setTimer(ms, resolve);
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
      const [next] = config.filterChains;
      known.config = config;
      if (next !== undefined && known.chain.update(next, config.direction)) return;
    }
    if (known !== undefined) await this.removeNow(config.name);
    await this.bind(config);
  }

  private async bind(config: ListenerConfig<ConnectionPool>): Promise<void> {
    const { transport, environment, secrets, logger } = this.options;
    const [first] = config.filterChains;
    invariant(first !== undefined, 'a listener has a filter chain');
    const chain = new ActiveChain(first, config.direction, environment, secrets, statAddress(config.address));
    const { security, group } = chain;
    try {
      const bound = await transport.listen({ address: config.address, security }, group.accept);
      this.active.set(config.name, { config, chain, bound, isStopped: false });
      logger.info('Listening', {
        listener: config.name,
        address: describeAddress(bound.address),
      });
    } catch (error) {
      chain.close();
      throw error;
    }
  }

  private async removeNow(name: string): Promise<void> {
    const listener = this.active.get(name);
    if (listener === undefined) return;
    this.active.delete(name);
    await listener.bound.close();
    this.drainChain(listener.chain);
  }

  private drainChain(chain: ActiveChain): void {
    const { group } = chain;
    this.draining.add(chain);
    group.drain();
    const deadline = this.options.environment.context.clock.setTimer(
      this.options.environment.drains.drainTimeMs,
      () => group.destroy(),
    );
    void group.whenEmpty().then(() => {
      deadline.cancel();
      this.draining.delete(chain);
      chain.close();
    });
  }
}

/** An address as Envoy writes it in the names of counters. */
function statAddress({ host, port }: ListenerConfig<ConnectionPool>['address']): string {
  return `${host.includes(':') ? `[${host}]` : host}_${port}`;
}

/** True where the bound socket can go on serving: same address, same security. */
function isSameSocket(a: ListenerConfig<ConnectionPool>, b: ListenerConfig<ConnectionPool>): boolean {
  return (
    a.address.host === b.address.host &&
    a.address.port === b.address.port &&
    tlsKey(a.filterChains[0]?.tls ?? null) === tlsKey(b.filterChains[0]?.tls ?? null)
  );
}
