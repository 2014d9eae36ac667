// A proxy over all its threads: what one is told all are told, what one knows is added up.
import type { MetricFamily } from '@heddle/telemetry';
import type { Loggers } from '../stack/loggers.ts';
import type { ProcessCounts } from '../stack/process-counts.ts';
import type { Proxy } from '../stack/proxy.ts';
import { isProcessMetric, ServerState } from '../stats/server-metrics.ts';
import { type ClusterStatus, clusterStatusOf, mergeClusterStatus } from './cluster-status.ts';
import { mergeFamilies } from './merge-families.ts';
import { execute, type ThreadCommand } from './thread-command.ts';

/** All metrics of one thread. */
export function collectFamilies(proxy: Proxy): readonly MetricFamily[] {
  proxy.metrics.connections = proxy.listeners.connections;
  for (const cluster of proxy.config.clusters.built()) cluster.showBreakers();
  return proxy.registry.collect();
}

/** The threads beside the main one. */
export interface WorkerThreads {
  readonly size: number;
  /** What limits count, of all threads. */
  readonly counts: ProcessCounts;
  post(command: ThreadCommand): void;
  families(): Promise<readonly (readonly MetricFamily[])[]>;
  clusters(): Promise<readonly (readonly ClusterStatus[])[]>;
  /** Requests that were still running on each when the time was up. */
  drain(timeoutMs: number): Promise<readonly number[]>;
  departure(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

export class ProxyThreads {
  readonly proxy: Proxy;
  /** Null where the levels of logs can't be moved. */
  readonly loggers: Loggers | null;
  private readonly workers: WorkerThreads | null;
  private hasServed = false;
  private isEnding = false;

  constructor(proxy: Proxy, loggers: Loggers | null, workers: WorkerThreads | null) {
    this.proxy = proxy;
    this.loggers = loggers;
    this.workers = workers;
  }

  /** Threads that move bytes. */
  get concurrency(): number {
    return 1 + (this.workers?.size ?? 0);
  }

  /** `ServerState`. */
  get state(): number {
    if (this.isEnding || this.proxy.drains.isHealthCheckFailed) return ServerState.draining;
    this.hasServed ||= this.proxy.isServing;
    return this.hasServed ? ServerState.live : ServerState.preInitializing;
  }

  /** Has every thread do it. */
  run(command: ThreadCommand): void {
    execute(command, this.proxy, this.loggers);
    this.workers?.post(command);
  }

  async families(): Promise<readonly MetricFamily[]> {
    const own = collectFamilies(this.proxy);
    return this.workers === null
      ? own
      : mergeFamilies([own, ...(await this.workers.families())], isProcessMetric);
  }

  async clusters(): Promise<readonly ClusterStatus[]> {
    const own = clusterStatusOf(this.proxy);
    return this.workers === null ? own : mergeClusterStatus([own, ...(await this.workers.clusters())]);
  }

  /** Accepts nothing new; resolves with the requests still running when the time is up. */
  async drain(timeoutMs: number): Promise<number> {
    this.isEnding = true;
    const own = this.proxy.listeners.drain(timeoutMs);
    const others = this.workers?.drain(timeoutMs) ?? Promise.resolve([]);
    return (await others).reduce((sum, open) => sum + open, await own);
  }

  /**
   * Another process has taken the ports over: accepts no more, asks clients to go there, and resolves when all have gone
   * or the time is up.
   */
  async departure(timeoutMs: number): Promise<void> {
    this.isEnding = true;
    const drain = { isGraceful: true, inboundOnly: false, keepsListeners: true };
    this.run({ type: 'drain-listeners', drain });
    await Promise.all([this.proxy.departure(timeoutMs), this.workers?.departure(timeoutMs)]);
  }

  async close(): Promise<void> {
    await Promise.all([this.proxy.close(), this.workers?.close()]);
  }
}
