// A proxy without the question of where its configuration comes from: xDS, a snapshot, or a bootstrap file.
import { FlushQueue } from '../http2/flush-queue.ts';
import { type Clock, type Random, TimerWheel, errorMessage } from '@heddle/base';
import { MetricRegistry, RequestIds } from '@heddle/telemetry';
import { LogFiles } from '../access-log/log-files.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { RoutingPriority } from '../cluster/cluster-metrics.ts';
import { ConnectionPool } from '../cluster/connection-pool.ts';
import type { Endpoint } from '../cluster/endpoint.ts';
import { ConfigStore } from '../config/config-store.ts';
import type { ListenerConfig } from '../config/listener-config.ts';
import type { Subscriber } from '../config/wanted-names.ts';
import { DnsClient } from '../dns/dns-client.ts';
import type { DnsEnvironment } from '../dns/dns-environment.ts';
import { DnsListeners } from '../dns/dns-listeners.ts';
import { DnsNameResolver } from '../dns/name-resolver.ts';
import { HttpDate } from '../http/http-date.ts';
import type { ProxyContext } from '../http/http-settings.ts';
import { DrainManager, type DrainManagerOptions } from './drain-manager.ts';
import type { LoggerSource } from './loggers.ts';
import { LocalCounts, type ProcessCounts } from './process-counts.ts';
import { originalDestinationProvider } from '../interception/original-destination.ts';
import type { OriginalDestinations } from '../listener/active-listener.ts';
import { type ConnectionLimits, noConnectionLimits } from '../listener/connection-admission.ts';
import { BindGate } from '../listener/bind-gate.ts';
import { ListenerManager } from '../listener/listener-manager.ts';
import { ServerMetrics } from '../stats/server-metrics.ts';
import { TrafficMetrics, type WorkloadLabels } from '../stats/traffic-metrics.ts';
import type { LinkSecurity, SecretProvider } from '../tls/link-security.ts';
import { linkSecurityOf } from '../tls/link-security-of.ts';
import type { UpstreamTlsConfig } from '../tls/tls-config.ts';
import type { Transport } from '../transport/transport.ts';

/** How a proxy asks its clients to go elsewhere. */
export type DrainOptions = Pick<DrainManagerOptions, 'drainTimeMs' | 'strategy'>;

/** Envoy's defaults. */
export const defaultDrain: DrainOptions = { drainTimeMs: 600_000, strategy: 'gradual' };

export interface ProxyOptions {
  /** Absent for one of its own. */
  readonly registry?: MetricRegistry;
  readonly transport: Transport;
  readonly dns: DnsEnvironment;
  readonly clock: Clock;
  readonly random: Random;
  readonly loggers: LoggerSource;
  readonly drain: DrainOptions;
  /** Tells where intercepted connections were meant to go; by default the system is asked. */
  readonly originalDestinations?: OriginalDestinations;
  readonly secrets: SecretProvider;
  /** The workload whose sidecar this is; null for a proxy of nobody's. */
  readonly workload: WorkloadLabels | null;
  readonly subscriber: Subscriber;
  /** As Envoy starts: listeners are bound once all clusters are warm. By default they are when they come. */
  readonly listensWhenWarm?: boolean;
  /** What limits count; by default of this thread alone. */
  readonly counts?: ProcessCounts;
  /** How many connections are taken; by default any number. */
  readonly limits?: ConnectionLimits;
  /** The process's name in `Via`, for threads that share it; made here where it is absent. */
  readonly viaName?: string;
  /** The roots (PEM) of a trust bundle arrived or changed. */
  onTrustBundleChanged(name: string, roots: string): void;
  /** A listener could not be bound. */
  onListenFailed(error: unknown): void;
  /** All changes of one response have been applied and their listeners bound. */
  onCommitted(): void;
}

/** A pseudonym for `Via` that no other process has. */
export function makeViaName(random: Random): string {
  return `heddle-${random.uint32().toString(16)}${random.uint32().toString(16)}`;
}

/** How late a pause of a few milliseconds may end. */
const shortTickMs = 5;

export class Proxy {
  readonly registry: MetricRegistry;
  readonly context: ProxyContext;
  readonly config: ConfigStore<ConnectionPool>;
  readonly listeners: ListenerManager;
  readonly drains: DrainManager;
  readonly metrics: ServerMetrics;
  readonly logFiles: LogFiles;
  /** Holds back what would open listening sockets. */
  readonly gate = new BindGate();
  private readonly options: ProxyOptions;
  private readonly timers: TimerWheel;
  private readonly shortTimers: TimerWheel;
  private readonly dnsClient: DnsClient;
  private readonly dnsListeners: DnsListeners;
  private readonly linkSecurity = new WeakMap<
    Cluster<ConnectionPool>,
    Map<UpstreamTlsConfig, LinkSecurity>
  >();
  private readonly knownListeners = new Set<string>();
  private binding = 0;
  /** Listeners that wait for clusters. */
  private waiting: (() => void)[] = [];
  private isClosed = false;

  constructor(options: ProxyOptions) {
    this.options = options;
    this.registry = options.registry ?? new MetricRegistry();
    const { clock, random, loggers, transport, secrets, workload } = options;
    this.timers = new TimerWheel(clock);
    this.shortTimers = new TimerWheel(clock, shortTickMs);
    const { datagrams, configuration } = options.dns;
    this.dnsClient = new DnsClient({ transport, datagrams, clock, random });
    this.dnsListeners = new DnsListeners({
      transport,
      datagrams,
      clock,
      random,
      client: this.dnsClient,
      configuration,
      registry: this.registry,
      gate: this.gate,
    });
    this.logFiles = new LogFiles(clock, loggers.get('access_log'));
    const viaName = options.viaName ?? makeViaName(random);
    this.context = {
      clock,
      random,
      timers: this.timers,
      flushes: new FlushQueue(clock, loggers.get('connection')),
      shortTimers: this.shortTimers,
      requestIds: new RequestIds(random),
      date: new HttpDate(clock),
      viaName,
      ownAddress: transport.ownAddress,
    };
    this.drains = new DrainManager({ clock, random, ...options.drain });
    this.metrics = new ServerMetrics(this.registry, clock);
    const counts = options.counts ?? new LocalCounts();
    this.listeners = new ListenerManager({
      originalDestinations: options.originalDestinations ?? originalDestinationProvider,
      transport,
      secrets,
      logger: loggers.get('listener'),
      gate: this.gate,
      environment: {
        context: this.context,
        drains: this.drains,
        registry: this.registry,
        logFiles: this.logFiles,
        counts,
        limits: options.limits ?? noConnectionLimits,
        ownIdentity: workload?.principal ?? '',
        inboundTraffic: workload === null ? null : new TrafficMetrics(this.registry, 'destination', workload),
        outboundTraffic: workload === null ? null : new TrafficMetrics(this.registry, 'source', workload),
      },
    });
    this.config = new ConfigStore({
      random,
      clock,
      timers: this.timers,
      resolver: new DnsNameResolver(this.dnsClient, configuration),
      metrics: this.registry,
      createPool: (cluster, endpoint, priority) => this.createPool(cluster, endpoint, priority),
      counts: counts.isShared ? counts : null,
      observer: {
        subscribe: (typeUrl, names) => options.subscriber.subscribe(typeUrl, names),
        unsubscribe: (typeUrl, names) => options.subscriber.unsubscribe(typeUrl, names),
        onListenerChanged: (listener) => this.applyListener(listener),
        onDnsListenerChanged: (listener) => {
          if (options.dns.listens) this.bindWhenWarm(() => this.dnsListeners.apply(listener));
        },
        onDnsListenerRemoved: (name) => this.track(this.dnsListeners.remove(name)),
        onListenerRemoved: (name) => this.removeListener(name),
        onClusterChanged: (change) => this.countCluster(change),
        onTrustBundleChanged: (name, roots) => options.onTrustBundleChanged(name, roots),
        onCommitted: () => this.noteCommitted(),
      },
    });
  }

  /** Everything needed to serve has arrived, and all sockets are bound. */
  get isServing(): boolean {
    return this.binding === 0 && this.config.isWarm;
  }

  /** Where UDP is listened on, by the listener's name. */
  get datagramListeners(): DnsListeners['addresses'] {
    return this.dnsListeners.addresses;
  }

  /** No listener is on its way to be bound. */
  get isSettled(): boolean {
    return this.binding === 0;
  }

  /**
   * Another process has the sockets: takes nothing new, and resolves when nobody is connected any more or the time is up.
   */
  async departure(timeoutMs: number): Promise<void> {
    this.gate.shut();
    await this.dnsListeners.close();
    await this.listeners.departure(timeoutMs);
  }

  /** Frees all ports, drops all connections, writes the logs out. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.drains.close();
    await this.listeners.close();
    this.config.close();
    await this.dnsListeners.close();
    this.dnsClient.close();
    this.timers.close();
    this.shortTimers.close();
    await this.logFiles.close();
  }

  private applyListener(listener: ListenerConfig<ConnectionPool>): void {
    const { metrics } = this;
    const counter = this.knownListeners.has(listener.name) ? metrics.listenerModified : metrics.listenerAdded;
    counter.value++;
    this.knownListeners.add(listener.name);
    this.bindWhenWarm(() =>
      this.listeners.apply(listener).then(
        () => void metrics.listenerCreateSuccess.value++,
        (error: unknown) => {
          metrics.listenerCreateFailure.value++;
          throw error;
        },
      ),
    );
  }

  private removeListener(name: string): void {
    this.knownListeners.delete(name);
    this.metrics.listenerRemoved.value++;
    this.track(this.listeners.remove(name));
  }

  private countCluster(change: 'added' | 'modified' | 'removed'): void {
    const { clusterAdded, clusterModified, clusterRemoved } = this.metrics;
    const counter = { added: clusterAdded, modified: clusterModified, removed: clusterRemoved }[change];
    counter.value++;
  }

  private createPool(
    cluster: Cluster<ConnectionPool>,
    endpoint: Endpoint<ConnectionPool>,
    priority: RoutingPriority,
  ): ConnectionPool {
    return new ConnectionPool({
      transport: this.options.transport,
      security: this.securityOf(cluster, endpoint.tls),
      source: cluster.config.source,
      proxyProtocol: cluster.config.proxyProtocol,
      limits: cluster.config.connections,
      endpoint,
      timers: this.timers,
      clock: this.options.clock,
      http2: this.context,
      metrics: cluster.metrics,
      breaker: cluster.breaker(priority),
    });
  }

  private securityOf(cluster: Cluster<ConnectionPool>, tls: UpstreamTlsConfig | null): LinkSecurity | null {
    if (tls === null) return null;
    let byConfig = this.linkSecurity.get(cluster);
    if (byConfig === undefined) {
      byConfig = new Map();
      this.linkSecurity.set(cluster, byConfig);
    }
    let security = byConfig.get(tls);
    if (security === undefined) {
      security = linkSecurityOf(tls, this.options.secrets, cluster.metrics.ofTls());
      byConfig.set(tls, security);
    }
    return security;
  }

  private bindWhenWarm(bind: () => Promise<void>): void {
    if (this.options.listensWhenWarm !== true) {
      this.track(bind());
      return;
    }
    const warm = new Promise<void>((resolve) => {
      this.waiting.push(resolve);
    });
    this.track(warm.then(() => (this.isClosed ? undefined : bind())));
  }

  private track(change: Promise<void>): void {
    this.binding++;
    change.then(
      () => this.bound(),
      (error: unknown) => {
        this.options.loggers.get('listener').debug('A listener failed', { reason: errorMessage(error) });
        this.options.onListenFailed(error);
        this.bound();
      },
    );
  }

  private bound(): void {
    this.binding--;
    this.noteCommitted();
  }

  private noteCommitted(): void {
    if (this.waiting.length > 0 && this.config.clusters.areWarm) {
      for (const resolve of this.waiting.splice(0)) resolve();
    }
    if (this.binding === 0) this.options.onCommitted();
  }
}
