// A proxy whose whole configuration is a file: `heddle proxy --bootstrap envoy.yaml`.
import { type Clock, err, ok, type Problem, type Random, type Result } from '@heddle/base';
import { AdminServer } from '../admin/admin-server.ts';
import { proxyAdminHandler } from '../admin/proxy-admin-handler.ts';
import type { DumpSource } from '../admin/config-dump.ts';
import type { ServerDescription } from '../admin/server-info-page.ts';
import { hostPort } from '../cluster/endpoint.ts';
import type { Loggers } from '../stack/loggers.ts';
import { type DrainOptions, Proxy } from '../stack/proxy.ts';
import { ProxyThreads } from '../threads/proxy-threads.ts';
import type { SecretProvider } from '../tls/link-security.ts';
import { NodeTransport } from '../transport/node/node-transport.ts';
import { describeAddress } from '../transport/address.ts';
import { applyBootstrap, NoSubscriber, readBootstrap, type StaticConfig } from './bootstrap.ts';
import type { ParsedFile } from './problem-place.ts';

export interface StaticProxyOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly loggers: Loggers;
  readonly drain: DrainOptions;
  readonly description: Omit<ServerDescription, 'node'>;
  /** `/quitquitquit` was asked for. */
  onQuit(): void;
}

/** A bound listener of a static proxy. */
export interface StaticListener {
  readonly name: string;
  /** `host:port`, or a path. */
  readonly address: string;
}

/** A file's TLS contexts would name secrets; there is no control plane to give any. */
const noSecrets: SecretProvider = { certificate: () => null, trustBundle: () => null };

export class StaticProxy {
  /** Where the admin interface listens; null where the file has none. */
  readonly admin: string | null;
  private readonly threads: ProxyThreads;
  private readonly adminServer: AdminServer | null;

  private constructor(threads: ProxyThreads, adminServer: AdminServer | null) {
    this.threads = threads;
    this.adminServer = adminServer;
    this.admin = adminServer === null ? null : describeAddress(adminServer.address);
  }

  /**
   * Starts what the file says. Everything wrong with it comes back with its place, and nothing has been started; rejects
   * with a `HeddleError` where an address can't be bound.
   */
  static async start(
    source: ParsedFile,
    options: StaticProxyOptions,
  ): Promise<Result<StaticProxy, Problem[]>> {
    const config = readBootstrap(source);
    if (!config.ok) return config;
    const { clock, random, loggers, drain } = options;
    const transport = new NodeTransport(clock, loggers.get('connection'));
    const subscriber = new NoSubscriber();
    const failures: unknown[] = [];
    const bound = Promise.withResolvers<void>();
    const proxy = new Proxy({
      transport,
      clock,
      random,
      loggers,
      drain,
      secrets: noSecrets,
      workload: null,
      subscriber,
      onTrustBundleChanged: () => undefined,
      onListenFailed: (error) => failures.push(error),
      onCommitted: () => bound.resolve(),
    });
    // Listeners are bound after this turn: where anything is wrong none is.
    const problems = applyBootstrap(config.value, proxy.config, subscriber, source);
    if (problems.length > 0) {
      await proxy.close();
      return err(problems);
    }
    await bound.promise;
    const threads = new ProxyThreads(proxy, options.loggers, null);
    try {
      if (failures.length > 0) throw failures[0];
      const { admin } = config.value;
      const adminServer =
        admin === null
          ? null
          : await AdminServer.start(
              transport,
              admin,
              proxy.context,
              proxyAdminHandler({
                threads,
                clock,
                description: { ...options.description, node: config.value.node },
                configuration: dumpSourceOf(config.value, new Date(clock.now())),
                certificates: () => [],
                quit: () => options.onQuit(),
              }),
            );
      return ok(new StaticProxy(threads, adminServer));
    } catch (error) {
      await proxy.close();
      throw error;
    }
  }

  get listeners(): readonly StaticListener[] {
    return this.threads.proxy.listeners.listeners.map(({ name, host, port }) => ({
      name,
      address: hostPort(host, port),
    }));
  }

  /** Opens access logs anew, after a rotation. */
  reopenLogs(): void {
    this.threads.run({ type: 'reopen-logs' });
  }

  /** Accepts nothing new; resolves with the requests still running when the time is up. */
  drain(timeoutMs: number): Promise<number> {
    return this.threads.drain(timeoutMs);
  }

  async close(): Promise<void> {
    await this.adminServer?.close();
    await this.threads.close();
  }
}

function dumpSourceOf({ bootstrap, resources }: StaticConfig, startedAt: Date): DumpSource {
  return {
    bootstrap,
    isStatic: true,
    startedAt,
    resources: () => resources.map((resource) => ({ ...resource, version: '' })),
  };
}
