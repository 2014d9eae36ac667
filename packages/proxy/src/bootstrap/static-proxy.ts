// A proxy whose whole configuration is a file: `heddle proxy --bootstrap envoy.yaml`.
import { type Clock, type Logger, type Problem, type Random, type Result, err, ok } from '@heddle/base';
import { AdminServer } from '../admin/admin-server.ts';
import { proxyAdminHandler } from '../admin/proxy-admin-handler.ts';
import { Proxy } from '../stack/proxy.ts';
import type { SecretProvider } from '../tls/link-security.ts';
import { NodeTransport } from '../transport/node/node-transport.ts';
import type { TransportAddress } from '../transport/transport.ts';
import { NoSubscriber, applyBootstrap, readBootstrap } from './bootstrap.ts';
import type { ParsedFile } from './problem-place.ts';

export interface StaticProxyOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A bound listener of a static proxy. */
export interface StaticListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** A file's TLS contexts would name secrets; there is no control plane to give any. */
const noSecrets: SecretProvider = { certificate: () => null, trustBundle: () => null };

export class StaticProxy {
  /** Where the admin interface listens; null where the file has none. */
  readonly admin: TransportAddress | null;
  private readonly proxy: Proxy;
  private readonly adminServer: AdminServer | null;

  private constructor(proxy: Proxy, adminServer: AdminServer | null) {
    this.proxy = proxy;
    this.adminServer = adminServer;
    this.admin = adminServer?.address ?? null;
  }

  /**
   * Starts what the file says. Everything wrong with it comes back with its place, and nothing has been started; rejects
   * with a `HeddleError` where an address can't be bound.
   */
  static async start(
    source: ParsedFile,
    options: StaticProxyOptions,
  ): Promise<Result<StaticProxy, Problem[]>> {
    const { clock, random, logger } = options;
    const config = readBootstrap(source);
    if (!config.ok) return config;
    const transport = new NodeTransport(clock, logger);
    const subscriber = new NoSubscriber();
    const failures: unknown[] = [];
    const bound = Promise.withResolvers<void>();
    const proxy = new Proxy({
      transport,
      clock,
      random,
      logger,
      secrets: noSecrets,
      workload: null,
      subscriber,
      onTrustBundleChanged: () => undefined,
      onListenFailed: (error) => failures.push(error),
      onCommitted: () => bound.resolve(),
    });
    const problems = applyBootstrap(config.value, proxy.config, subscriber, source);
    if (problems.length > 0) {
      await proxy.close();
      return err(problems);
    }
    await bound.promise;
    try {
      if (failures.length > 0) throw failures[0];
      const { admin } = config.value;
      const handler = proxyAdminHandler(proxy, { isReady: () => true, certificate: () => null });
      const adminServer =
        admin === null ? null : await AdminServer.start(transport, admin, proxy.context, handler);
      return ok(new StaticProxy(proxy, adminServer));
    } catch (error) {
      await proxy.close();
      throw error;
    }
  }

  get listeners(): readonly StaticListener[] {
    return this.proxy.listeners.listeners;
  }

  /** Accepts nothing new; resolves with the requests still running when the time is up. */
  drain(timeoutMs: number): Promise<number> {
    return this.proxy.listeners.drain(timeoutMs);
  }

  async close(): Promise<void> {
    await this.adminServer?.close();
    await this.proxy.close();
  }
}
