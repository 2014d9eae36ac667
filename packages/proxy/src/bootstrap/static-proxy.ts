// A proxy whose whole configuration is a file: `heddle proxy --bootstrap envoy.yaml`.
import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';
import { type Clock, err, type HeddleError, ok, type Problem, type Random, type Result } from '@heddle/base';
import { AccessLogOpenError } from '../access-log/log-file.ts';
import { certificatesInUse } from '../admin/certificates-in-use.ts';
import { AdminServer } from '../admin/admin-server.ts';
import { proxyAdminHandler } from '../admin/proxy-admin-handler.ts';
import type { AdminHandler } from '../admin/admin-message.ts';
import type { DumpSource } from '../admin/config-dump.ts';
import type { ServerDescription } from '../admin/server-info-page.ts';
import { hostPort } from '../cluster/endpoint.ts';
import type { Loggers } from '../stack/loggers.ts';
import { type DrainOptions, makeViaName, Proxy } from '../stack/proxy.ts';
import { LocalCounts } from '../stack/process-counts.ts';
import { ProxyThreads } from '../threads/proxy-threads.ts';
import { MainSockets } from '../threads/shared-sockets.ts';
import type { ThreadCommand } from '../threads/thread-command.ts';
import type { WorkerSettings } from '../threads/worker-messages.ts';
import type { WorkerPool } from '../threads/worker-pool.ts';
import { InheritedSockets, type OpenSocket } from '../transport/socket-source.ts';
import { TypeUrl } from '@heddle/xds';
import { Secret } from '@heddle/xds/api/envoy/extensions/transport_sockets/tls/v3/secret.ts';
import type { SecretProvider } from '../tls/link-security.ts';
import { NodeDatagrams } from '../transport/node/node-datagrams.ts';
import { systemDns } from '../dns/system-dns.ts';
import { NodeTransport } from '../transport/node/node-transport.ts';
import { openTransport } from '../transport/open-transport.ts';
import type { SocketTransport } from '../transport/socket-transport.ts';
import { describeAddress } from '../transport/address.ts';
import { applyBootstrap, NoSubscriber, readBootstrap, type StaticConfig } from './bootstrap.ts';
import { accessLogProblem } from './access-log-problem.ts';
import type { ParsedFile } from './problem-place.ts';

export interface StaticProxyOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly loggers: Loggers;
  readonly drain: DrainOptions;
  /** Threads that move bytes. */
  readonly concurrency: number;
  /** Listening sockets of the process that this one replaces. */
  readonly inherited: readonly OpenSocket[];
  readonly description: Omit<ServerDescription, 'node' | 'engine'>;
  /** Resolves when it is to end: then it waits for its clusters no longer. */
  readonly stopped: Promise<void>;
  /** `/quitquitquit` was asked for. */
  readonly onQuit: () => void;
  /** It cannot go on: threads keep ending. */
  readonly onFailed: (error: HeddleError) => void;
}

/** A bound listener of a static proxy. */
export interface StaticListener {
  readonly name: string;
  /** `host:port`, or a path. */
  readonly address: string;
}

/** A file's TLS contexts would name secrets; there is no control plane to give any. */
const noSecrets: SecretProvider = { certificate: () => null, trustBundle: () => null };

export type { OpenSocket };

export class StaticProxy {
  private readonly threads: ProxyThreads;
  private readonly workers: WorkerPool | null;
  /** Of listeners, and of the admin interface. */
  private readonly transports: readonly [SocketTransport, SocketTransport];
  private readonly datagrams: NodeDatagrams;
  private adminServer: AdminServer | null = null;

  private constructor(
    threads: ProxyThreads,
    workers: WorkerPool | null,
    transports: readonly [SocketTransport, SocketTransport],
    datagrams: NodeDatagrams,
  ) {
    this.threads = threads;
    this.workers = workers;
    this.transports = transports;
    this.datagrams = datagrams;
  }

  /**
   * Starts what the file says; resolves when it listens, which it does once its clusters are warm. Everything wrong with it comes back with its place, and nothing has been started; rejects
   * with a `HeddleError` where an address can't be bound.
   */
  static async start(
    source: ParsedFile,
    options: StaticProxyOptions,
  ): Promise<Result<StaticProxy, Problem[]>> {
    const config = readBootstrap(source);
    if (!config.ok) return config;
    const { clock, random, loggers, drain, concurrency } = options;
    const inherited = new InheritedSockets(options.inherited);
    const viaName = makeViaName(random);
    const ticketSecret = randomBytes(32);
    const { limits } = config.value;
    const workers =
      concurrency > 1
        ? await startWorkers(config.value, { viaName, ticketSecret, limits, listensWhenWarm: true }, options)
        : null;
    const logger = loggers.get('connection');
    const transport = openTransport(clock, logger, {
      sockets: new MainSockets(inherited, concurrency, workers),
      ticketSecret,
    });
    const adminTransport = new NodeTransport(clock, logger, { sockets: new MainSockets(inherited, 1, null) });
    const datagrams = new NodeDatagrams(inherited);
    const subscriber = new NoSubscriber();
    const failures: unknown[] = [];
    const bound = Promise.withResolvers<void>();
    const proxy = new Proxy({
      transport,
      dns: systemDns(clock, datagrams, true),
      clock,
      random,
      loggers,
      drain,
      secrets: noSecrets,
      workload: null,
      viaName,
      limits,
      listensWhenWarm: true,
      counts: workers?.counts ?? new LocalCounts(),
      subscriber,
      onTrustBundleChanged: () => undefined,
      onListenFailed: (error) => failures.push(error),
      onCommitted: () => bound.resolve(),
    });
    const threads = new ProxyThreads(proxy, loggers, workers);
    // Listeners are bound after this turn: where anything is wrong none is.
    const problems = applyBootstrap(config.value, proxy.config, subscriber, source);
    if (problems.length > 0) {
      await threads.close();
      return err(problems);
    }
    proxy.config.clusters.buildAll();
    for (const command of commandsOf(config.value)) workers?.post(command);
    const started = new StaticProxy(threads, workers, [transport, adminTransport], datagrams);
    const openAdmin = async (): Promise<void> => {
      const { admin } = config.value;
      if (admin === null) return;
      const handler = started.adminHandler(config.value, options);
      started.adminServer = await AdminServer.start(adminTransport, admin, proxy.context, handler);
    };
    try {
      // Whoever asks in the meantime is told that the listeners wait; after an upgrade the old process still answers.
      const isUpgrade = options.inherited.length > 0;
      if (!isUpgrade) await openAdmin();
      await Promise.race([bound.promise, options.stopped]);
      const [failure] = failures;
      if (failure instanceof AccessLogOpenError) {
        await started.close();
        return err([accessLogProblem(failure, source)]);
      }
      if (failure !== undefined) throw failure;
      await Promise.race([workers?.settled(), options.stopped]);
      if (isUpgrade) await openAdmin();
      for (const descriptor of inherited.takeRest()) closeSync(descriptor);
      return ok(started);
    } catch (error) {
      await started.close();
      throw error;
    }
  }

  /** Where the admin interface listens; null where the file has none. */
  get admin(): string | null {
    return this.adminServer === null ? null : describeAddress(this.adminServer.address);
  }

  get listeners(): readonly StaticListener[] {
    const { listeners, datagramListeners } = this.threads.proxy;
    return [
      ...listeners.listeners.map(({ name, host, port }) => ({ name, address: hostPort(host, port) })),
      ...[...datagramListeners].map(([name, { host, port }]) => ({
        name,
        address: `${hostPort(host, port)} (UDP)`,
      })),
    ];
  }

  /** Opens access logs anew, after a rotation. */
  reopenLogs(): void {
    this.threads.run({ type: 'reopen-logs' });
  }

  /** The listening sockets of all threads, for a process that is to take them over. */
  async openSockets(): Promise<readonly OpenSocket[]> {
    const own = this.transports.flatMap((transport) => transport.openSockets());
    const others = (await this.workers?.openSockets()) ?? [];
    return [...own, ...others, ...this.datagrams.openSockets()];
  }

  /** Another process has the sockets: accepts no more, and resolves when all clients have gone or the time is up. */
  async departure(timeoutMs: number): Promise<void> {
    for (const transport of this.transports) transport.handOver();
    await this.adminServer?.close();
    await this.threads.departure(timeoutMs);
  }

  /** Accepts nothing new; resolves with the requests still running when the time is up. */
  drain(timeoutMs: number): Promise<number> {
    return this.threads.drain(timeoutMs);
  }

  async close(): Promise<void> {
    await this.adminServer?.close();
    await this.threads.close();
  }

  private adminHandler(config: StaticConfig, options: StaticProxyOptions): AdminHandler {
    const { clock, description } = options;
    const [{ engine }] = this.transports;
    return proxyAdminHandler({
      threads: this.threads,
      clock,
      description: { ...description, node: config.node, engine },
      configuration: dumpSourceOf(config, new Date(clock.now())),
      certificates: () => certificatesInUse(this.threads.proxy.config),
      quit: () => options.onQuit(),
    });
  }
}

/** Loaded where there is more than one thread: a proxy of one does without what starts others. */
async function startWorkers(
  config: StaticConfig,
  shared: Pick<WorkerSettings, 'viaName' | 'ticketSecret' | 'limits' | 'listensWhenWarm'>,
  options: StaticProxyOptions,
): Promise<WorkerPool> {
  const { clock, loggers, drain, concurrency, onFailed } = options;
  const { WorkerPool: Pool } = await import('../threads/worker-pool.ts');
  const [[, logLevel] = ['main', 'warning'] as const] = loggers.levels;
  return new Pool({
    count: concurrency - 1,
    settings: { logLevel, logFields: {}, drain, ...shared, workload: null },
    clock,
    logger: loggers.get('main'),
    catchUp: () => commandsOf(config),
    onFailed,
  });
}

/** What brings a thread to the state that the file describes. */
function commandsOf({ materials, resources }: StaticConfig): ThreadCommand[] {
  const commands = resources.map(({ typeUrl, name, bytes }): ThreadCommand => ({
    type: 'apply',
    typeUrl,
    name,
    bytes,
  }));
  return [{ type: 'materials', materials }, ...commands, { type: 'commit', typeUrl: TypeUrl.listener }];
}

function dumpSourceOf(
  { bootstrap, resources, materials, runtime }: StaticConfig,
  startedAt: Date,
): DumpSource {
  const secrets = materials.secrets.map((bytes) => ({
    typeUrl: TypeUrl.secret,
    name: Secret.decode(bytes).name,
    bytes,
  }));
  const all = [...resources, ...secrets].map(({ typeUrl, name, bytes }) => ({
    typeUrl,
    name,
    bytes,
    version: '',
  }));
  return {
    bootstrap,
    isStatic: true,
    startedAt,
    runtime,
    resources: () => all,
  };
}
