// One sidecar, whatever lies under it: production gives it sockets, gRPC and real time, a simulation an in-memory network
// and virtual time.
import { type Clock, HeddleError, type Random, errorMessage } from '@heddle/base';
import type { MetricRegistry } from '@heddle/telemetry';
import { messageNameOf, type ReceivedResource, type RpcClient, TypeUrl } from '@heddle/xds';
import { DeltaClient } from '@heddle/xds/client';
import type { ConfigurationSnapshot } from '@heddle/xds/snapshot';
import { Loggers, type LoggerSource } from '../stack/loggers.ts';
import { MirroringSink } from '../threads/mirroring-sink.ts';
import { ProxyThreads, type WorkerThreads } from '../threads/proxy-threads.ts';
import type { ThreadCommand } from '../threads/thread-command.ts';
import { LocalCounts } from '../stack/process-counts.ts';
import { defaultDrain, type DrainOptions, Proxy } from '../stack/proxy.ts';
import { isTrafficMetric, type WorkloadLabels } from '../stats/traffic-metrics.ts';
import type { SecretProvider } from '../tls/link-security.ts';
import type { DnsEnvironment } from '../dns/dns-environment.ts';
import type { Transport } from '../transport/transport.ts';
import { AppProbe } from './app-probe.ts';
import { InstanceLease, type Withdrawal } from './instance-lease.ts';
import { MetricsReporter } from './metrics-reporter.ts';
import { type WorkloadOptions, nodeOf } from './node-metadata.ts';

/** Where a sidecar's first configuration came from. */
export type ConfigurationSource = 'control-plane' | 'snapshot';

export interface SidecarEnvironment {
  /** Of this thread's metrics, where others beside the proxy count in it; absent for one of its own. */
  readonly registry?: MetricRegistry;
  readonly transport: Transport;
  readonly dns: DnsEnvironment;
  readonly rpc: RpcClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly loggers: LoggerSource;
  readonly drain?: DrainOptions;
  /** Threads beside this one, and the name in `Via` that they share; null for none. */
  readonly workers?: WorkerThreads | null;
  readonly viaName?: string;
  readonly secrets: SecretProvider;
  /** This workload's SPIFFE id. */
  readonly identity: string;
  /** The roots (PEM) of the mesh arrived or changed. */
  onTrustBundleChanged(name: string, roots: string): void;
  /** Serves: once. */
  onReady(source: ConfigurationSource): void;
  /** The control plane has published the instance: after each (re)connection. */
  onPublished(): void;
  /** The control plane doesn't take the instance in and won't; one sentence for the user. */
  onPublishRefused(message: string): void;
  /** Can't serve: a port is taken. */
  onFailed(error: HeddleError): void;
  /** Part of the configuration is not in use; one sentence for the user. */
  onRefused(message: string): void;
  /** The configuration in use has changed: `snapshot` gives it, to be kept on disk. */
  onConfigured(snapshot: () => ConfigurationSnapshot): void;
}

/** What is needed before what needs it. */
const catchUpOrder = [
  TypeUrl.cluster,
  TypeUrl.clusterLoadAssignment,
  TypeUrl.secret,
  TypeUrl.listener,
  TypeUrl.routeConfiguration,
  TypeUrl.virtualHost,
];

/** Clients are asked to go all at once: nobody waits for a sidecar that is replaced, or for a listener that closes. */
export const sidecarDrain: DrainOptions = { ...defaultDrain, strategy: 'immediate' };

/** How long the control plane may take to receive the last counts. */
const lastReportMs = 1_000;

export class Sidecar {
  readonly proxy: Proxy;
  readonly threads: ProxyThreads;
  private readonly environment: SidecarEnvironment;
  private readonly client: DeltaClient;
  private readonly lease: InstanceLease;
  private readonly reporter: MetricsReporter;
  private readonly probe: AppProbe;
  private readonly hasService: boolean;
  private isReady = false;
  private source: ConfigurationSource = 'control-plane';
  /** The snapshot is being read: what it brings is no news for the disk. */
  private isRestoring = false;

  constructor(options: WorkloadOptions, environment: SidecarEnvironment) {
    this.environment = environment;
    const { transport, rpc, clock, random, loggers, secrets, identity } = environment;
    const logger = loggers.get('xds');
    const node = nodeOf(options);
    this.proxy = new Proxy({
      transport,
      dns: environment.dns,
      clock,
      random,
      loggers,
      drain: environment.drain ?? defaultDrain,
      secrets,
      workload: workloadLabelsOf(options, identity),
      subscriber: {
        subscribe: (typeUrl, names) => this.client.subscribe(typeUrl, names),
        unsubscribe: (typeUrl, names) => this.client.unsubscribe(typeUrl, names),
      },
      ...(environment.registry === undefined ? {} : { registry: environment.registry }),
      ...(environment.viaName === undefined ? {} : { viaName: environment.viaName }),
      counts: environment.workers?.counts ?? new LocalCounts(),
      onTrustBundleChanged: (name, roots) => environment.onTrustBundleChanged(name, roots),
      onListenFailed: (error) => this.onListenFailed(error),
      onCommitted: () => this.onCommitted(),
    });
    const workers = environment.workers ?? null;
    const levels = loggers instanceof Loggers ? loggers : null;
    this.threads = new ProxyThreads(this.proxy, levels, workers);
    this.client = new DeltaClient({
      rpc,
      node,
      sink:
        workers === null
          ? this.proxy.config
          : new MirroringSink(this.proxy.config, (command) => workers.post(command)),
      clock,
      random,
      logger,
      hooks: {
        onConnected: () => logger.info('Connected to the control plane'),
        onDisconnected: (status) =>
          logger.warn('The control plane is away; serving goes on', {
            code: status.code,
            reason: status.message,
          }),
        onSynced: () => this.onCommitted(),
        onRejected: (typeUrl, name, reason) => {
          const kind = messageNameOf(typeUrl).split('.').at(-1) ?? '';
          environment.onRefused(`the sidecar refused the ${kind.toLowerCase()} '${name}': ${reason}`);
        },
      },
    });
    this.lease = new InstanceLease({
      rpc,
      clock,
      random,
      logger,
      instance: {
        instance: options.instance,
        namespace: options.namespace,
        service: options.service,
        servicePort: options.servicePort,
        protocol: options.protocol,
        address: options.advertiseAddress,
        port: options.advertisePort ?? options.inbound.port,
        labels: { ...options.labels },
        tunnel: 'h2',
      },
      onPublished: () => environment.onPublished(),
      onRefused: (message) => environment.onPublishRefused(message),
    });
    this.reporter = new MetricsReporter({
      rpc,
      clock,
      random,
      collect: () => this.threads.families(),
      isReported: isTrafficMetric,
      node: { id: node.id, cluster: node.cluster },
    });
    this.probe = new AppProbe(transport, { host: '127.0.0.1', port: options.appPort }, clock);
    this.hasService = options.servicePort > 0;
  }

  /** Serves from `snapshot` where there is one, and follows the control plane from then on. */
  start(snapshot: ConfigurationSnapshot | null): void {
    if (snapshot !== null) {
      this.isRestoring = true;
      this.source = 'snapshot';
      this.client.restore(snapshot);
      this.isRestoring = false;
    }
    this.client.start();
    this.reporter.start();
  }

  /** The application was started: publishes the instance when its port accepts connections. */
  applicationStarted(): void {
    if (!this.hasService) return;
    this.probe.start(() => this.lease.publish());
  }

  /** Takes the instance out of the mesh and waits for the proxies' acknowledgement. */
  withdraw(timeoutMs: number): Promise<Withdrawal> {
    this.probe.close();
    return this.lease.withdraw(timeoutMs);
  }

  /** Accepts nothing new; resolves with the requests still running when the time is up. */
  drain(timeoutMs: number): Promise<number> {
    return this.threads.drain(timeoutMs);
  }

  /**
   * Another process has the sockets and goes on with the instance: takes nothing new, and resolves when nobody is connected any
   * more or the time is up. Until then it follows the control plane.
   */
  async depart(timeoutMs: number): Promise<void> {
    this.probe.close();
    this.lease.close();
    await this.threads.departure(timeoutMs);
    // Nobody else knows what it has counted since the last report.
    await this.reporter.finish(lastReportMs);
  }

  async close(): Promise<void> {
    this.probe.close();
    this.lease.close();
    this.reporter.close();
    this.client.close();
    this.environment.rpc.close();
    await this.threads.close();
  }

  /** The resources in force, encoded as they came. */
  *resources(): Generator<ReceivedResource & { readonly typeUrl: string }> {
    for (const [typeUrl, resources] of this.client.snapshot()) {
      for (const resource of resources) yield { typeUrl, ...resource };
    }
  }

  /** What brings a thread that starts late to where this one is. */
  *catchUp(): Generator<ThreadCommand> {
    const resources = [...this.resources()];
    for (const typeUrl of catchUpOrder) {
      for (const { name, bytes } of resources.filter((resource) => resource.typeUrl === typeUrl)) {
        yield { type: 'apply', typeUrl, name, bytes };
      }
    }
    for (const typeUrl of catchUpOrder) yield { type: 'commit', typeUrl };
  }

  private onCommitted(): void {
    if (!this.isRestoring) this.environment.onConfigured(() => this.client.snapshot());
    if (this.isReady || !this.proxy.isServing) return;
    this.isReady = true;
    this.environment.onReady(this.source);
  }

  private onListenFailed(error: unknown): void {
    if (this.isReady) {
      // What serves goes on serving; the new listener alone is missing.
      this.environment.loggers
        .get('listener')
        .error('A listener cannot be bound', { reason: errorMessage(error) });
      return;
    }
    this.environment.onFailed(
      error instanceof HeddleError ? error : new HeddleError('HEDDLE_LISTEN_FAILED', errorMessage(error)),
    );
  }
}

/** What a workload says of itself in every series. */
export function workloadLabelsOf(options: WorkloadOptions, identity: string): WorkloadLabels {
  const { service, namespace, labels } = options;
  return { service, namespace, version: labels['version'] ?? '', principal: identity };
}
