import type { Clock, Problem, Random, TimerWheel } from '@heddle/base';
import type { MetricRegistry } from '@heddle/telemetry';
import type { Listener } from '@heddle/xds/api/envoy/config/listener/v3/listener.ts';
import { messageNameOf, type ReceivedResource, type ResourceSink, TypeUrl } from '@heddle/xds';
import type { EndpointPoolFactory } from '../cluster/cluster.ts';
import type { ClusterSlot } from '../cluster/cluster-slot.ts';
import type { EndpointPool } from '../cluster/endpoint.ts';
import type { DnsListenerConfig } from '../dns/dns-listener-config.ts';
import type { NameResolver } from '../dns/name-resolver.ts';
import type { ProcessCounts } from '../stack/process-counts.ts';
import type { RouteTableSlot } from '../routing/route-table.ts';
import { type DownstreamTlsConfig, bundleSecretOf } from '../tls/tls-config.ts';
import { ClusterStore } from './cluster-store.ts';
import type { RouteSource } from './compile-http.ts';
import { ScopedRoutes } from '../routing/scoped-routes.ts';
import {
  type CompiledChain,
  type CompiledFilter,
  type CompiledListener,
  compileListener,
} from './compile-listener.ts';
import { compileDnsListener, isDatagramListener } from './compile-dns-listener.ts';
import { compileTrustBundle } from './compile-secret.ts';
import {
  type FilterChainConfig,
  type HttpFilterConfig,
  type ListenerConfig,
  type TcpFilterConfig,
  allChains,
} from './listener-config.ts';
import { ProblemList } from './problem-list.ts';
import { RouteStore } from './route-store.ts';
import { decodeResource } from './unpack-config.ts';
import { FileMaterials } from './tls-materials.ts';
import { type Subscriber, WantedNames } from './wanted-names.ts';

/** Told of what changes; calls are synchronous, during `apply` and `remove`. */
export interface ConfigObserver<P extends EndpointPool> extends Subscriber {
  /** A listener is new, or its settings changed. Changes of its routes and clusters need no call: they are in its slots. */
  onListenerChanged(listener: ListenerConfig<P>): void;
  onListenerRemoved(name: string): void;
  /** A DNS listener is new or changed. */
  onDnsListenerChanged(listener: DnsListenerConfig): void;
  onDnsListenerRemoved(name: string): void;
  /** A cluster came, changed or went; for counts. */
  onClusterChanged(change: 'added' | 'modified' | 'removed'): void;
  /** The roots (PEM) of a trust bundle arrived or changed. */
  onTrustBundleChanged(name: string, roots: string): void;
  /** All changes of one response have been applied: a good time to ask `isWarm`. */
  onCommitted(typeUrl: string): void;
}

export interface ConfigStoreOptions<P extends EndpointPool> {
  readonly random: Random;
  readonly clock: Clock;
  readonly timers: TimerWheel;
  readonly resolver: NameResolver;
  readonly metrics: MetricRegistry;
  readonly createPool: EndpointPoolFactory<P>;
  /** What all threads count together; null or absent in a process of one thread. */
  readonly counts?: ProcessCounts | null;
  readonly observer: ConfigObserver<P>;
}

interface ListenerRecord<P extends EndpointPool> {
  readonly bytes: Uint8Array;
  readonly config: ListenerConfig<P>;
}

/**
 * The proxy's configuration: takes encoded resources, compiles them, and swaps them in. A resource that is refused leaves
 * the state before untouched. Each call does one resource: whoever has many gives them in slices.
 */
export class ConfigStore<P extends EndpointPool> implements ResourceSink {
  readonly clusters: ClusterStore<P>;
  readonly routes: RouteStore<P>;
  private readonly observer: ConfigObserver<P>;
  private readonly wantedSecrets: WantedNames;
  /** Files and static secrets that TLS contexts name. */
  readonly materials = new FileMaterials();
  private readonly dnsListeners = new Map<string, Uint8Array>();
  private readonly listenerRecords = new Map<string, ListenerRecord<P>>();
  /** PEM by name; null where the control plane says that there is none. */
  private readonly trustBundles = new Map<string, string | null>();
  private hasListeners = false;

  constructor(options: ConfigStoreOptions<P>) {
    const { observer, random, clock, timers, resolver, metrics, createPool, counts = null } = options;
    this.observer = observer;
    this.wantedSecrets = new WantedNames(TypeUrl.secret, observer);
    this.clusters = new ClusterStore({
      random,
      clock,
      timers,
      resolver,
      metrics,
      createPool,
      counts,
      wantedEndpoints: new WantedNames(TypeUrl.clusterLoadAssignment, observer),
      wantedSecrets: this.wantedSecrets,
      onChanged: (change) => observer.onClusterChanged(change),
      materials: this.materials,
      onResolved: () => observer.onCommitted(TypeUrl.cluster),
    });
    this.routes = new RouteStore(
      this.clusters,
      new WantedNames(TypeUrl.routeConfiguration, observer),
      new WantedNames(TypeUrl.virtualHost, observer),
    );
  }

  /** The listeners in force. */
  get listeners(): readonly ListenerConfig<P>[] {
    return [...this.listenerRecords.values()].map((record) => record.config);
  }

  /**
   * Whether all listeners have arrived, at least one, and can serve: with their routes, those routes' endpoints, and trust
   * bundles.
   */
  get isWarm(): boolean {
    if (!this.hasListeners || this.listenerRecords.size === 0) return false;
    return this.listeners.every((listener) => allChains(listener).every((chain) => this.isChainWarm(chain)));
  }

  /** Takes a new or changed resource; what is wrong with it otherwise, and nothing changes. */
  applyResource(typeUrl: string, name: string, bytes: Uint8Array): readonly Problem[] {
    return finish(this.takeResource(typeUrl, name, bytes));
  }

  apply(typeUrl: string, resource: ReceivedResource): string | null {
    return finish(this.applySteps(typeUrl, resource));
  }

  *applySteps(typeUrl: string, resource: ReceivedResource): Generator<undefined, string | null> {
    const problems = yield* this.takeResource(typeUrl, resource.name, resource.bytes);
    return problems.length === 0 ? null : problems.map(describe).join('; ');
  }

  remove(typeUrl: string, name: string): void {
    switch (typeUrl) {
      case TypeUrl.cluster:
        this.clusters.removeCluster(name);
        break;
      case TypeUrl.clusterLoadAssignment:
        this.clusters.removeEndpoints(name);
        break;
      case TypeUrl.routeConfiguration:
        this.routes.remove(name);
        break;
      case TypeUrl.virtualHost:
        this.routes.removeHost(name);
        break;
      case TypeUrl.listener:
        this.removeListener(name);
        this.removeDnsListener(name);
        break;
      case TypeUrl.secret:
        // A bundle in use stays: without it every connection would fail.
        if (!this.trustBundles.has(name)) this.trustBundles.set(name, null);
        break;
      default:
        break;
    }
  }

  commit(typeUrl: string): ReadonlyMap<string, string> {
    if (typeUrl === TypeUrl.listener) this.hasListeners = true;
    const refused = typeUrl === TypeUrl.virtualHost ? this.routes.commitHosts() : nothing;
    this.observer.onCommitted(typeUrl);
    return refused;
  }

  /** Removes all listeners and closes all clusters. */
  close(): void {
    for (const name of [...this.listenerRecords.keys()]) this.removeListener(name);
    for (const name of [...this.dnsListeners.keys()]) this.removeDnsListener(name);
    this.clusters.close();
  }

  private *takeResource(
    typeUrl: string,
    name: string,
    bytes: Uint8Array,
  ): Generator<undefined, readonly Problem[]> {
    const problems = new ProblemList();
    switch (typeUrl) {
      case TypeUrl.cluster:
        this.clusters.applyCluster(name, bytes, problems);
        break;
      case TypeUrl.clusterLoadAssignment:
        this.clusters.applyEndpoints(name, bytes, problems);
        break;
      case TypeUrl.routeConfiguration:
        yield* this.routes.apply(name, bytes, problems);
        break;
      case TypeUrl.virtualHost:
        this.routes.applyHost(name, bytes, problems);
        break;
      case TypeUrl.listener:
        this.applyListener(name, bytes, problems);
        break;
      case TypeUrl.secret:
        this.applySecret(name, bytes, problems);
        break;
      default:
        problems.unsupported('', messageNameOf(typeUrl));
    }
    return problems.problems;
  }

  private applyListener(name: string, bytes: Uint8Array, problems: ProblemList): void {
    const previous = this.listenerRecords.get(name);
    if (previous !== undefined && Buffer.compare(previous.bytes, bytes) === 0) return;
    const message = decodeResource(TypeUrl.listener, bytes, problems);
    if (message === null) return;
    if (isDatagramListener(message)) {
      this.applyDnsListener(name, bytes, message, problems);
      return;
    }
    this.removeDnsListener(name);
    const compiled = compileListener(message, problems, this.materials);
    if (compiled !== null && compiled.name !== name) {
      problems.invalid('name', `"${compiled.name}" is not the resource's name`);
    }
    if (compiled === null) return;
    const config = this.openListener(compiled, problems);
    if (config === null) return;
    this.listenerRecords.set(name, { bytes, config });
    this.observer.onListenerChanged(config);
    if (previous !== undefined) this.releaseNeeds(previous.config);
  }

  private applyDnsListener(name: string, bytes: Uint8Array, message: Listener, problems: ProblemList): void {
    const previous = this.dnsListeners.get(name);
    if (previous !== undefined && Buffer.compare(previous, bytes) === 0) return;
    const config = compileDnsListener(message, problems);
    if (config !== null && config.name !== name) {
      problems.invalid('name', `"${config.name}" is not the resource's name`);
    }
    if (config === null || !problems.isEmpty) return;
    if (this.listenerRecords.has(name)) this.removeListener(name);
    this.dnsListeners.set(name, bytes);
    this.observer.onDnsListenerChanged(config);
  }

  private removeDnsListener(name: string): void {
    if (this.dnsListeners.delete(name)) this.observer.onDnsListenerRemoved(name);
  }

  private isChainWarm({ tls, filter }: FilterChainConfig<P>): boolean {
    if (!this.hasBundle(tls)) return false;
    return filter.kind === 'http'
      ? this.routes.isWarm(filter.routes)
      : filter.clusters.every(({ cluster }) => this.clusters.isWarm(cluster.name));
  }

  private hasBundle(tls: DownstreamTlsConfig | null): boolean {
    const bundle = bundleSecretOf(tls);
    return bundle === null || this.trustBundles.has(bundle);
  }

  /** Joins a listener with what its chains lead to; null, with nothing held, where anything is wrong with it. */
  private openListener(compiled: CompiledListener, problems: ProblemList): ListenerConfig<P> | null {
    const opened: FilterChainConfig<P>[] = [];
    const open = (chain: CompiledChain): void => {
      const config = this.openChain(chain, problems);
      if (config !== null) opened.push(config);
    };
    for (const chain of compiled.filterChains) open(chain);
    if (compiled.defaultFilterChain !== null) open(compiled.defaultFilterChain);
    if (!problems.isEmpty) {
      for (const chain of opened) this.releaseChain(chain);
      return null;
    }
    const count = compiled.filterChains.length;
    return { ...compiled, filterChains: opened.slice(0, count), defaultFilterChain: opened[count] ?? null };
  }

  /** A chain with the slot of its routes; null with problems noted, now or before. */
  private openChain(chain: CompiledChain, problems: ProblemList): FilterChainConfig<P> | null {
    const { tls, filter } = chain;
    const opened = filter.kind === 'http' ? this.openHttp(filter, problems) : this.openTcp(filter);
    if (opened === null) return null;
    const bundle = bundleSecretOf(tls);
    if (bundle !== null) this.wantedSecrets.retain(bundle);
    return { ...chain, filter: opened };
  }

  private openHttp(
    { http, routes }: CompiledFilter & { readonly kind: 'http' },
    problems: ProblemList,
  ): HttpFilterConfig<P> | null {
    const slot = this.openRoutes(routes, problems);
    return slot === null ? null : { kind: 'http', http, routes: slot };
  }

  private openTcp({ tcp, clusters }: CompiledFilter & { readonly kind: 'tcp' }): TcpFilterConfig<P> {
    this.clusters.retain(clusters.map(({ cluster }) => cluster));
    return {
      kind: 'tcp',
      tcp,
      clusters: clusters.map(({ cluster, weight }) => ({ cluster: this.clusters.slot(cluster), weight })),
    };
  }

  /** The slot of a chain's routes, only where nothing is wrong with the listener so far. */
  private openRoutes(
    source: RouteSource | null,
    problems: ProblemList,
  ): RouteTableSlot<ClusterSlot<P>> | null {
    if (source === null) return null;
    if (source.kind === 'scoped') return this.openScopes(source, problems);
    if (source.kind === 'rds') return problems.isEmpty ? this.routes.acquire(source.name) : null;
    const slot = this.routes.createInline(source.config, source.path, problems);
    if (slot === null || problems.isEmpty) return slot;
    this.routes.releaseInline(slot);
    return null;
  }

  /** The slot of routes in scopes, each with a slot of its own; null, with none held, where anything is wrong. */
  private openScopes(
    { name, fragments, scopes }: RouteSource & { readonly kind: 'scoped' },
    problems: ProblemList,
  ): RouteTableSlot<ClusterSlot<P>> | null {
    const slots = new Map<string, RouteTableSlot<ClusterSlot<P>>>();
    for (const { key, source } of scopes) {
      const slot = this.openRoutes(source, problems);
      if (slot !== null) slots.set(key, slot);
    }
    const slot = { name: '', current: new ScopedRoutes(name, fragments, slots) };
    if (problems.isEmpty) return slot;
    this.routes.releaseInline(slot);
    return null;
  }

  private removeListener(name: string): void {
    const record = this.listenerRecords.get(name);
    if (record === undefined) return;
    this.listenerRecords.delete(name);
    this.observer.onListenerRemoved(name);
    this.releaseNeeds(record.config);
  }

  private releaseNeeds(config: ListenerConfig<P>): void {
    for (const chain of allChains(config)) this.releaseChain(chain);
  }

  private releaseChain({ tls, filter }: FilterChainConfig<P>): void {
    const bundle = bundleSecretOf(tls);
    if (bundle !== null) this.wantedSecrets.release(bundle);
    if (filter.kind === 'tcp') this.clusters.release(filter.clusters.map(({ cluster }) => cluster.name));
    else if (filter.routes.name === '') this.routes.releaseInline(filter.routes);
    else this.routes.release(filter.routes.name);
  }

  private applySecret(name: string, bytes: Uint8Array, problems: ProblemList): void {
    const message = decodeResource(TypeUrl.secret, bytes, problems);
    const roots = message === null ? null : compileTrustBundle(message, problems);
    if (message !== null && message.name !== name)
      problems.invalid('name', `"${message.name}" is not the resource's name`);
    if (roots === null || !problems.isEmpty || this.trustBundles.get(name) === roots) return;
    this.trustBundles.set(name, roots);
    this.observer.onTrustBundleChanged(name, roots);
  }
}

const nothing: ReadonlyMap<string, string> = new Map();

/** A problem as a control plane reads it in a NACK. */
function describe({ path, message, hint }: Problem): string {
  const text = path === undefined || path === '' ? message : `${path}: ${message}`;
  return hint === undefined ? text : `${text} (${hint})`;
}

function finish<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
