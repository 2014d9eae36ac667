// The endpoints of STRICT_DNS and LOGICAL_DNS clusters: names that are resolved again and again.
import type { Clock, Random, Timer } from '@heddle/base';
import type { LookupFamily, NameResolver, Resolution } from '../dns/name-resolver.ts';
import type { EndpointConfig } from './cluster.ts';
import type { ClusterMetrics } from './cluster-metrics.ts';

/** How a cluster's names are resolved; times in milliseconds. */
export interface DnsDiscoveryConfig {
  readonly family: LookupFamily;
  readonly refreshMs: number;
  /** Resolve again when the records' time is up instead. */
  readonly respectsTtl: boolean;
  /** After failures: a random time below a bound that doubles from `failureBaseMs` to `failureMaxMs`. */
  readonly failureBaseMs: number;
  readonly failureMaxMs: number;
  /** Up to so much is added to each time. */
  readonly jitterMs: number;
  /** One address is used at a time, and connections to the one before live on. */
  readonly isLogical: boolean;
  /** Requests wait for the first answer. */
  readonly waitsForFirst: boolean;
}

export interface DnsDiscoveryOptions {
  readonly config: DnsDiscoveryConfig;
  readonly resolver: NameResolver;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: ClusterMetrics;
  /** The endpoints, all of them; again whenever they have changed. */
  onEndpoints(endpoints: readonly EndpointConfig[]): void;
  /** Every name has been asked for once, with or without success. */
  onReady(): void;
}

/** One name of the load assignment and what is known of it. */
interface Target {
  readonly endpoint: EndpointConfig;
  /** Null until the first answer. */
  addresses: readonly string[] | null;
  failures: number;
  hasTried: boolean;
  timer: Timer | null;
}

export class DnsDiscovery {
  private readonly options: DnsDiscoveryOptions;
  private targets: readonly Target[] = [];
  private isClosed = false;
  private wasReady = false;

  constructor(options: DnsDiscoveryOptions) {
    this.options = options;
  }

  get isReady(): boolean {
    return this.wasReady || !this.options.config.waitsForFirst;
  }

  /** Takes the names to resolve, with what goes for their endpoints. Those known before keep their addresses. */
  setTargets(endpoints: readonly EndpointConfig[]): void {
    const known = new Map(this.targets.map((target) => [keyOf(target.endpoint), target]));
    for (const target of this.targets) target.timer?.cancel();
    this.targets = endpoints.map((endpoint) => {
      const before = known.get(keyOf(endpoint));
      return {
        endpoint,
        addresses: before?.addresses ?? null,
        failures: before?.failures ?? 0,
        hasTried: before?.hasTried ?? false,
        timer: null,
      };
    });
    if (this.targets.some((target) => target.addresses !== null)) this.publish();
    for (const target of this.targets) this.resolve(target);
    if (this.targets.length === 0) this.noteReady();
  }

  close(): void {
    this.isClosed = true;
    for (const target of this.targets) target.timer?.cancel();
  }

  private resolve(target: Target): void {
    const { resolver, config, metrics } = this.options;
    metrics.updateAttempts.value++;
    void resolver.resolve(target.endpoint.host, config.family).then((resolution) => {
      if (this.isClosed || !this.targets.includes(target)) return;
      this.take(target, resolution);
      const jitterMs = config.jitterMs * this.options.random.float();
      target.timer = this.options.clock.setTimer(this.pauseMs(target, resolution) + jitterMs, () => {
        this.resolve(target);
      });
      target.hasTried = true;
      this.noteReady();
    });
  }

  private take(target: Target, resolution: Resolution): void {
    const { metrics, config } = this.options;
    if (resolution.kind === 'failed') {
      // What was known goes on being used: a DNS server that is down must not take the service with it.
      metrics.updateFailures.value++;
      target.failures++;
      return;
    }
    metrics.updateSuccesses.value++;
    target.failures = 0;
    if (resolution.kind === 'not-found') metrics.emptyUpdates.value++;
    const found = resolution.kind === 'found' ? resolution.addresses : [];
    // As Envoy does: a logical cluster keeps its address until there is another one.
    if (config.isLogical && found.length === 0) return;
    const addresses = config.isLogical ? found.slice(0, 1) : found.toSorted();
    if (target.addresses?.join() === addresses.join()) return;
    target.addresses = addresses;
    this.publish();
  }

  private publish(): void {
    const endpoints: EndpointConfig[] = [];
    for (const { endpoint, addresses } of this.targets) {
      for (const host of addresses ?? []) endpoints.push({ ...endpoint, host });
    }
    this.options.onEndpoints(endpoints);
  }

  private pauseMs(target: Target, resolution: Resolution): number {
    const { refreshMs, respectsTtl, failureBaseMs, failureMaxMs } = this.options.config;
    if (resolution.kind === 'failed') {
      const bound = Math.min(failureMaxMs, failureBaseMs * 2 ** Math.min(target.failures - 1, 30));
      // Never at once: a server in trouble needs no hammering.
      return failureBaseMs / 2 + this.options.random.float() * Math.max(0, bound - failureBaseMs / 2);
    }
    if (!respectsTtl || resolution.kind !== 'found' || resolution.ttlMs === null) return refreshMs;
    return resolution.ttlMs === 0 ? refreshMs : resolution.ttlMs;
  }

  private noteReady(): void {
    if (this.wasReady || !this.targets.every((target) => target.hasTried)) return;
    this.wasReady = true;
    this.options.onReady();
  }
}

function keyOf({ host, port }: EndpointConfig): string {
  return `${host}:${port}`;
}
