// A listener in force: its filter chains, how one is chosen, and the connections on the way to one.
import type { Clock, Logger, TimerWheel } from '@heddle/base';
import type { MetricScope } from '@heddle/telemetry';
import { AccessLog, type AccessLogConfig } from '../access-log/access-log.ts';
import type { LoggedEntry } from '../access-log/access-log-filter.ts';
import type { LogFile } from '../access-log/log-file.ts';
import type { ConnectionPool } from '../cluster/connection-pool.ts';
import { type FilterChainConfig, type ListenerConfig, allChains } from '../config/listener-config.ts';
import type { OriginalDestinationProvider } from '../interception/original-destination.ts';
import type {
  AcceptHandler,
  Connection,
  ConnectionHandler,
  Listener,
  TcpAddress,
} from '../transport/transport.ts';
import { ActiveChain, type ChainHost, type ChainOwner } from './active-chain.ts';
import { ConnectionAdmission } from './connection-admission.ts';
import { ConnectionLogEntry } from './connection-log-entry.ts';
import { FilterChainMatcher } from './filter-chain-matcher.ts';
import { InspectedConnection, type InspectionOwner } from './inspected-connection.ts';
import { InspectionMetrics, ProxyProtocolMetrics } from './inspection-metrics.ts';
import {
  type ListenerFilter,
  httpInspector,
  originalDestinationFilter,
  originalSourceFilter,
  proxyProtocolFilter,
  tlsInspector,
} from './listener-filter.ts';
import { ListenerMetrics } from './listener-metrics.ts';
import { abandoned } from './refused-connection.ts';

/**
 * Makes what finds original destinations, for listeners that take connections to addresses of others or for all others.
 * Throws a `HeddleError` where the system has no way to ask.
 */
export type OriginalDestinations = (isTransparent: boolean) => OriginalDestinationProvider;

/** What listeners need of whoever holds them. */
export interface ListenerHost extends ChainHost {
  readonly logger: Logger;
  readonly originalDestinations: OriginalDestinations;
  /** The listener for connections that were meant for this address; null where there is none. */
  listenerAt(address: TcpAddress): ActiveListener | null;
  /** A chain serves no more new connections. */
  drainChain(chain: ActiveChain): void;
}

/** The first bytes of a connection that nothing has been read from. */
const noBytes = Buffer.alloc(0);

export class ActiveListener implements InspectionOwner, ChainOwner {
  config: ListenerConfig<ConnectionPool>;
  /** Null for one that binds no port of its own. */
  bound: Listener | null = null;
  /** It accepts no more, though its connections live on. */
  isStopped = false;
  filters: readonly ListenerFilter[] = [];
  /** The configured chains in their order, then the default one. */
  chains: readonly ActiveChain[] = [];
  /** In the names of its counters. */
  readonly statAddress: string;
  readonly timers: TimerWheel;
  private readonly clock: Clock;
  private readonly host: ListenerHost;
  private readonly scope: MetricScope;
  private readonly metrics: ListenerMetrics;
  private readonly admission: ConnectionAdmission;
  /** Where all connections go without a look at them; null where there has to be one. */
  private onlyChain: ActiveChain | null = null;
  private matcher: FilterChainMatcher | null = null;
  private accessLogs: readonly AccessLog[] = [];
  private logFiles: readonly LogFile[] = [];
  private readonly inspecting = new Set<InspectedConnection>();
  /** Who waits for the end of the last inspection. */
  private readonly inspected: (() => void)[] = [];

  constructor(config: ListenerConfig<ConnectionPool>, host: ListenerHost) {
    const { registry, context, limits, counts } = host.environment;
    this.host = host;
    this.config = config;
    this.timers = context.timers;
    this.clock = context.clock;
    this.scope = registry.scope();
    this.statAddress = config.statPrefix === '' ? statAddressOf(config.address) : config.statPrefix;
    this.metrics = new ListenerMetrics(this.scope, this.statAddress);
    const { name, ignoresTotalLimit } = config;
    this.admission = new ConnectionAdmission(
      name,
      !ignoresTotalLimit,
      limits,
      counts,
      this.scope,
      this.statAddress,
    );
    this.update(config);
  }

  get inspectionTimeoutMs(): number {
    return this.config.listenerFilters.timeoutMs;
  }

  get name(): string {
    return this.config.name;
  }

  get hasAccessLogs(): boolean {
    return this.accessLogs.length > 0;
  }

  /** Takes connections of the listener's own socket. */
  readonly accept: AcceptHandler = (connection) => {
    if (!this.admission.admit()) {
      connection.destroy();
      return abandoned;
    }
    return this.onlyChain === null ? this.inspect(connection) : this.onlyChain.accept(connection);
  };

  /** Goes on with a changed configuration: chains that it has unchanged keep their connections, others are drained. */
  update(config: ListenerConfig<ConnectionPool>): void {
    const previous = new Set(this.chains);
    const take = (chain: FilterChainConfig<ConnectionPool>): ActiveChain => {
      for (const known of previous) {
        if (!known.update(chain, config.direction)) continue;
        previous.delete(known);
        return known;
      }
      return new ActiveChain(chain, config.direction, this, this.host);
    };
    this.chains = allChains(config).map(take);
    this.onlyChain = isDirect(config) ? this.chains[0]! : null;
    this.matcher = new FilterChainMatcher(config.filterChains.map(({ match }) => match));
    this.filters = this.createFilters(config);
    this.openAccessLogs(config.accessLogs);
    this.config = config;
    for (const chain of previous) this.host.drainChain(chain);
  }

  /** Takes a connection that another listener was handed, and of which `buffer[start, end)` has been read. */
  takeOver(connection: Connection, buffer: Buffer, start: number, end: number): void {
    this.admission.takeOver();
    const inspected = this.begin(connection);
    connection.setHandler(inspected);
    inspected.start(buffer, start, end);
  }

  /** Serves no new connections: all chains are drained, connections that are not at one yet are dropped. */
  retire(): void {
    for (const inspected of [...this.inspecting]) inspected.connection.destroy();
    for (const chain of this.chains) this.host.drainChain(chain);
    this.scope.close();
    // What drains is logged when it ends.
    void Promise.all(this.chains.map((chain) => chain.whenEmpty())).then(() => this.giveBack());
  }

  /** Connections of which it is not known yet which chain they go to. */
  get inspections(): number {
    return this.inspecting.size;
  }

  /** Resolves when no connection is at the listener or one of its chains. */
  async whenEmpty(): Promise<void> {
    const inspected = new Promise<void>((resolve) => {
      if (this.inspecting.size === 0) resolve();
      else this.inspected.push(resolve);
    });
    await Promise.all([inspected, ...this.chains.map((chain) => chain.whenEmpty())]);
  }

  /** Gives back what a listener holds that never came to serve. */
  discard(): void {
    for (const chain of this.chains) chain.close();
    this.scope.close();
    this.giveBack();
  }

  // ChainOwner

  onOpened(): void {
    this.metrics.onOpened();
  }

  onClosed(connection: Connection, lengthMs: number, entry: LoggedEntry | null): void {
    this.metrics.onClosed(lengthMs);
    this.admission.release();
    if (this.hasAccessLogs)
      this.log(entry ?? new ConnectionLogEntry(connection, this.clock.now(), lengthMs, ''));
  }

  onHandshakeTimeout(): void {
    this.metrics.handshakeTimeouts.value++;
  }

  // InspectionOwner

  onInspected(inspected: InspectedConnection, buffer: Buffer, start: number, end: number): void {
    this.forget(inspected);
    const { connection } = inspected;
    const { originalDestination } = connection;
    if (this.config.usesOriginalDestination && originalDestination !== null) {
      const target = this.host.listenerAt(originalDestination);
      if (target !== null && target !== this) {
        target.takeOver(connection, buffer, start, end);
        this.admission.release();
        return;
      }
    }
    const chain = this.choose(inspected);
    if (chain === null) {
      this.metrics.withoutChain.value++;
      this.logUnserved(inspected, 'NR', 'filter_chain_not_found');
      connection.destroy();
      this.admission.release();
      return;
    }
    chain.takeOver(connection, buffer, start, end);
  }

  onInspectionTimeout(): boolean {
    this.metrics.inspectionTimeouts.value++;
    return this.config.listenerFilters.continuesOnTimeout;
  }

  onInspectionFailed(inspected: InspectedConnection, isRejected: boolean): void {
    if (!isRejected) this.metrics.closedByClient.value++;
    this.logUnserved(inspected, '', '');
    this.forget(inspected);
    this.admission.release();
  }

  /** To be called when no connection is left. */
  private giveBack(): void {
    this.openAccessLogs([]);
    this.admission.close();
  }

  /** Looks at a connection that has just been accepted. */
  private inspect(connection: Connection): ConnectionHandler {
    const inspected = this.begin(connection);
    // Filters may be done before a byte has come. Who serves the connection is decided once it has an owner.
    connection.pauseReading();
    this.clock.setTimer(0, () => {
      if (inspected.isOver) return;
      connection.resumeReading();
      inspected.start(noBytes, 0, 0);
    });
    return inspected;
  }

  private log(entry: LoggedEntry): void {
    for (const log of this.accessLogs) log.log(entry);
  }

  private logUnserved({ connection, startedAt }: InspectedConnection, flags: string, details: string): void {
    if (!this.hasAccessLogs) return;
    const lengthMs = this.clock.monotonic() - startedAt;
    this.log(new ConnectionLogEntry(connection, this.clock.now(), lengthMs, flags, details));
  }

  /** Opens the configured access logs, then gives the ones before back: a file that both have stays open. */
  private openAccessLogs(configs: readonly AccessLogConfig[]): void {
    const { logFiles, context } = this.host.environment;
    const previous = this.logFiles;
    const opened = configs.map((config) => logFiles.acquire(config.path));
    this.logFiles = opened;
    this.accessLogs = configs.map((config, index) => new AccessLog(config, opened[index]!, context.random));
    for (const file of previous) void logFiles.release(file);
  }

  private begin(connection: Connection): InspectedConnection {
    const inspected = new InspectedConnection(connection, this, this.clock.monotonic());
    this.inspecting.add(inspected);
    this.metrics.inspecting.value++;
    return inspected;
  }

  private forget(inspected: InspectedConnection): void {
    if (!this.inspecting.delete(inspected)) return;
    this.metrics.inspecting.value--;
    if (this.inspecting.size > 0) return;
    for (const resolve of this.inspected.splice(0)) resolve();
  }

  private choose(inspected: InspectedConnection): ActiveChain | null {
    const { connection, transportProtocol, serverName, applicationProtocols } = inspected;
    const index = this.matcher!.find({
      destinationAddress: connection.localAddress,
      destinationPort: connection.localPort,
      serverName,
      transportProtocol,
      applicationProtocols,
      directSourceAddress: connection.directRemoteAddress,
      sourceAddress: connection.remoteAddress,
      sourcePort: connection.remotePort,
    });
    // Behind the configured chains stands the default one, where there is one.
    return this.chains[index < 0 ? this.config.filterChains.length : index] ?? null;
  }

  private createFilters(config: ListenerConfig<ConnectionPool>): ListenerFilter[] {
    return config.listenerFilters.filters.map((filter) => {
      switch (filter.kind) {
        case 'original-dst':
          return originalDestinationFilter(this.host.originalDestinations(config.isTransparent));
        case 'original-src':
          return originalSourceFilter(filter.mark);
        case 'tls-inspector':
          return tlsInspector(new InspectionMetrics(this.scope));
        case 'http-inspector':
          return httpInspector(new InspectionMetrics(this.scope), ({ localAddress, localPort }) =>
            this.matcher!.isDecidedBy(localAddress, localPort),
          );
        default: {
          const { allowsConnectionsWithout, disallowedVersions, statPrefix } = filter;
          const metrics = new ProxyProtocolMetrics(this.scope, statPrefix);
          return proxyProtocolFilter(metrics, allowsConnectionsWithout, disallowedVersions);
        }
      }
    });
  }
}

/** True where all connections go to one chain and nobody has to look at them. */
function isDirect(config: ListenerConfig<ConnectionPool>): boolean {
  const { listenerFilters, filterChains, defaultFilterChain, usesOriginalDestination } = config;
  const [only] = allChains(config);
  const isOne = filterChains.length + (defaultFilterChain === null ? 0 : 1) === 1;
  return isOne && only!.match === null && listenerFilters.filters.length === 0 && !usesOriginalDestination;
}

/** An address as Envoy writes it in the names of counters. */
function statAddressOf({ host, port }: ListenerConfig<ConnectionPool>['address']): string {
  return `${host.includes(':') ? `[${host}]` : host}_${port}`;
}
