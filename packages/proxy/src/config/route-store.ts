import { invariant, type Problem } from '@heddle/base';
import { collectionOf, decodeResource, TypeUrl } from '@heddle/xds';
import type { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import type { VirtualHost as VirtualHostMessage } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import type { ClusterSlot } from '../cluster/cluster-slot.ts';
import type { EndpointPool } from '../cluster/endpoint.ts';
import { type ClusterCheck, RouteTableBuilder } from '../routing/compile-route-table.ts';
import { ScopedRoutes } from '../routing/scoped-routes.ts';
import type { RouteFinder, RouteTable, RouteTableSlot } from '../routing/route-table.ts';
import type { VirtualHost } from '../routing/virtual-host.ts';
import type { ClusterStore } from './cluster-store.ts';
import { checkConfigSource } from './config-source.ts';
import { DiscoveredHosts } from './discovered-hosts.ts';
import { ProblemList } from './problem-list.ts';
import { splitMessage } from './split-message.ts';
import type { WantedNames } from './wanted-names.ts';

const virtualHostsField = 2;
/** About 0.1 ms of work. */
const hostsPerStep = 8;

type Slot<P extends EndpointPool> = RouteTableSlot<ClusterSlot<P>>;
type Host<P extends EndpointPool> = VirtualHost<ClusterSlot<P>>;

/** A route configuration as it arrived, with what each part of its bytes became. */
interface Received<P extends EndpointPool> {
  readonly bytes: Uint8Array;
  readonly rest: Uint8Array;
  /** Without its virtual hosts. */
  readonly config: RouteConfiguration;
  readonly parts: readonly { readonly bytes: Uint8Array; readonly host: Host<P> }[];
}

interface RouteRecord<P extends EndpointPool> {
  readonly slot: Slot<P>;
  received: Received<P> | null;
  /** The control plane has said that there is no such route configuration. */
  isMissing: boolean;
  /** Null where all virtual hosts come with the configuration. */
  discovered: DiscoveredHosts<ClusterSlot<P>> | null;
}

/** The route tables by name, each in a slot that listeners hold. */
export class RouteStore<P extends EndpointPool> {
  private readonly clusters: ClusterStore<P>;
  private readonly wanted: WantedNames;
  private readonly wantedHosts: WantedNames;
  private readonly records = new Map<string, RouteRecord<P>>();
  /** Knows all clusters that routes given with a listener may name; null where any may come yet. */
  isCluster: ClusterCheck | null = null;
  private readonly resolveCluster: (name: string) => ClusterSlot<P>;
  private readonly findCluster: (name: string) => ClusterSlot<P> | null;

  /** `wantedHosts` subscribes to virtual hosts that come by themselves. */
  constructor(clusters: ClusterStore<P>, wanted: WantedNames, wantedHosts: WantedNames) {
    this.clusters = clusters;
    this.wanted = wanted;
    this.wantedHosts = wantedHosts;
    this.resolveCluster = (name) => clusters.slot(name);
    this.findCluster = (name) => (clusters.has(name) ? clusters.slot(name) : null);
  }

  /** The slot for a name, subscribed to until it is released as often as it was acquired. */
  acquire(name: string): Slot<P> {
    const record = this.records.get(name) ?? {
      slot: { name, current: null },
      received: null,
      isMissing: false,
      discovered: null,
    };
    this.records.set(name, record);
    this.wanted.retain(name);
    return record.slot;
  }

  release(name: string): void {
    if (!this.wanted.release(name)) return;
    const record = this.records.get(name);
    this.records.delete(name);
    if (record?.discovered) this.wantedHosts.release(name);
    if (record !== undefined) this.retire(record.slot);
  }

  /** A slot with a table of its own, for routes given with a listener; null with problems noted. */
  createInline(config: RouteConfiguration, path: string, problems: ProblemList): Slot<P> | null {
    const before = problems.problems.length;
    if (config.vhds !== undefined) problems.unsupported(`${path}.vhds`, undefined, 'use rds');
    const builder = new RouteTableBuilder(
      config,
      this.resolveCluster,
      path,
      problems,
      this.isCluster,
      this.findCluster,
    );
    for (const host of config.virtualHosts) builder.add(host, () => host);
    if (problems.problems.length > before) return null;
    const slot: Slot<P> = { name: '', current: null };
    this.swap(slot, builder.finish());
    return slot;
  }

  releaseInline(slot: Slot<P>): void {
    this.retire(slot);
  }

  /** Slots by name. */
  get slots(): ReadonlyMap<string, Slot<P>> {
    return new Map([...this.records].map(([name, record]) => [name, record.slot]));
  }

  /** Whether requests may be routed: the table has arrived (or does not exist), and so have its clusters' endpoints. */
  isWarm(slot: Slot<P>): boolean {
    if (slot.current instanceof ScopedRoutes) return slot.current.slots.every((scope) => this.isWarm(scope));
    if (slot.current === null) return slot.name !== '' && this.records.get(slot.name)?.isMissing === true;
    return slot.current.virtualHosts.every((host) =>
      host.clusterNames.every((name) => this.clusters.isWarm(name)),
    );
  }

  /**
   * Takes a new or changed route configuration, in steps of a few virtual hosts; where problems are noted the one before
   * stays.
   */
  *apply(name: string, bytes: Uint8Array, problems: ProblemList): Generator<undefined, void> {
    const record = this.records.get(name);
    if (
      record === undefined ||
      (record.received !== null && Buffer.compare(record.received.bytes, bytes) === 0)
    )
      return;
    const split = splitMessage(bytes, virtualHostsField);
    const decoded = decodeResource(TypeUrl.routeConfiguration, split === null ? bytes : split.rest);
    if (!decoded.ok) problems.addAll(decoded.error);
    if (!decoded.ok || split === null) return;
    const config = decoded.value;
    if (config.name !== name) problems.invalid('name', `"${config.name}" is not the resource's name`);
    if (config.vhds !== undefined)
      checkConfigSource(config.vhds.configSource, 'vhds.config_source', problems);
    const builder = this.builder(config, problems);
    // What is the same as before needs no second check, and keeps its compiled routes.
    const known = knownHosts(record.received, split.rest);
    const parts: { bytes: Uint8Array; host: Host<P> }[] = [];
    for (const [index, item] of split.items.entries()) {
      const same = known.find(item);
      if (same !== null) builder.reuse(same);
      const host = same ?? addHost(builder, item, index, problems);
      if (host !== null) parts.push({ bytes: item, host });
      if (index % hostsPerStep === hostsPerStep - 1) yield;
    }
    // The last listener that wanted it may have gone meanwhile.
    if (!problems.isEmpty || this.records.get(name) !== record) return;
    const isSameFrame = record.received !== null && Buffer.compare(record.received.rest, split.rest) === 0;
    record.received = { bytes, rest: split.rest, config, parts };
    record.isMissing = false;
    if (config.vhds === undefined) {
      if (record.discovered !== null) this.wantedHosts.release(name);
      record.discovered = null;
      this.swap(record.slot, builder.finish());
      return;
    }
    if (record.discovered === null) {
      record.discovered = new DiscoveredHosts();
      this.wantedHosts.retain(name);
    }
    if (!isSameFrame) yield* this.recompileHosts(record.discovered, config);
    this.build(record, new Map());
  }

  /** Takes a virtual host that comes by itself; it is used from `commitHosts` on. */
  applyHost(name: string, bytes: Uint8Array, problems: ProblemList): void {
    const record = this.recordOfHost(name);
    if (record === undefined || record.received === null) return;
    const { received, discovered } = record;
    if (discovered === null || discovered.has(name, bytes)) return;
    const host = this.compileHost(received.config, bytes, problems);
    if (host !== null && problems.isEmpty) discovered.set(name, bytes, host);
  }

  /** A virtual host is gone; by the name of a route configuration, it has none. */
  removeHost(name: string): void {
    this.recordOfHost(name)?.discovered?.delete(name);
    this.records.get(name)?.discovered?.noteEmpty();
  }

  /** Puts what came since in force, and says which hosts do not go together with the others. */
  commitHosts(): ReadonlyMap<string, string> {
    const refused = new Map<string, string>();
    for (const record of this.records.values())
      if (record.discovered?.isChanged === true) this.build(record, refused);
    return refused;
  }

  private recordOfHost(name: string): RouteRecord<P> | undefined {
    const collection = collectionOf(TypeUrl.virtualHost, name);
    return collection === undefined ? undefined : this.records.get(collection);
  }

  /** The table of a configuration and its discovered hosts, once the control plane has said which there are. */
  private build({ received, discovered, slot }: RouteRecord<P>, refused: Map<string, string>): void {
    if (received === null || discovered === null || !discovered.isAnswered) return;
    const table = discovered.build((problems) => {
      const builder = this.builder(received.config, problems);
      for (const { host } of received.parts) builder.reuse(host);
      return builder;
    }, refused);
    if (table !== null) this.swap(slot, table);
  }

  /** What stands around them has changed. */
  private *recompileHosts(
    discovered: DiscoveredHosts<ClusterSlot<P>>,
    config: RouteConfiguration,
  ): Generator<undefined, void> {
    for (const [index, [name, bytes]] of discovered.entries.entries()) {
      const problems = new ProblemList();
      const host = this.compileHost(config, bytes, problems);
      if (host !== null && problems.isEmpty) discovered.set(name, bytes, host);
      else discovered.delete(name);
      if (index % hostsPerStep === hostsPerStep - 1) yield;
    }
  }

  private compileHost(config: RouteConfiguration, bytes: Uint8Array, problems: ProblemList): Host<P> | null {
    const decoded = decodeResource(TypeUrl.virtualHost, bytes);
    if (!decoded.ok) problems.addAll(decoded.error);
    if (!decoded.ok) return null;
    return this.builder(config, problems).make(decoded.value, () => {
      const again = decodeResource(TypeUrl.virtualHost, bytes);
      invariant(again.ok, 'bytes that were decoded once can be decoded again');
      return again.value;
    });
  }

  private builder(config: RouteConfiguration, problems: ProblemList): RouteTableBuilder<ClusterSlot<P>> {
    return new RouteTableBuilder(config, this.resolveCluster, '', problems, null, this.findCluster);
  }

  /** There is no such route configuration. A table that is in use stays: a route is never taken away by silence. */
  remove(name: string): void {
    const record = this.records.get(name);
    if (record !== undefined) record.isMissing = true;
  }

  private swap(slot: Slot<P>, table: RouteTable<ClusterSlot<P>>): void {
    const previous = slot.current;
    this.clusters.retain(clusterNames(table));
    slot.current = table;
    if (previous !== null) this.clusters.release(clusterNames(previous));
  }

  /** Gives the table's clusters back. The table stays in its slot: connections that drain may still have requests. */
  private retire(slot: Slot<P>): void {
    if (slot.current instanceof ScopedRoutes) {
      for (const scope of slot.current.slots as readonly Slot<P>[]) {
        if (scope.name === '') this.retire(scope);
        else this.release(scope.name);
      }
    } else if (slot.current !== null) this.clusters.release(clusterNames(slot.current));
  }
}

function clusterNames(table: RouteFinder<unknown>): Set<string> {
  const names = new Set<string>();
  for (const host of table.virtualHosts) for (const name of host.clusterNames) names.add(name);
  return names;
}

/** Adds a virtual host from its part of the bytes, which is a route configuration of one virtual host; null with problems. */
function addHost<C>(
  builder: RouteTableBuilder<C>,
  item: Uint8Array,
  index: number,
  problems: ProblemList,
): VirtualHost<C> | null {
  const decoded = decodeResource(TypeUrl.routeConfiguration, item);
  if (!decoded.ok) {
    problems.addAll(decoded.error.map((problem) => atIndex(problem, index)));
    return null;
  }
  return builder.add(onlyHost(decoded.value), () => {
    const again = decodeResource(TypeUrl.routeConfiguration, item);
    invariant(again.ok, 'bytes that were decoded once can be decoded again');
    return onlyHost(again.value);
  });
}

function onlyHost(config: RouteConfiguration): VirtualHostMessage {
  const [host] = config.virtualHosts;
  invariant(host !== undefined, 'a part that holds a virtual host has one');
  return host;
}

function atIndex(problem: Problem, index: number): Problem {
  return { ...problem, path: (problem.path ?? '').replace('virtual_hosts[0]', `virtual_hosts[${index}]`) };
}

interface KnownHosts<P extends EndpointPool> {
  find(item: Uint8Array): Host<P> | null;
}

/** The virtual hosts of the table before, by their bytes; none where anything around them changed. */
function knownHosts<P extends EndpointPool>(received: Received<P> | null, rest: Uint8Array): KnownHosts<P> {
  if (received === null || Buffer.compare(received.rest, rest) !== 0) return { find: () => null };
  const { parts } = received;
  let next = 0;
  return {
    // Hosts mostly keep their order: each is looked for where the one before was found, then everywhere.
    find: (item) => {
      for (let step = 0; step < parts.length; step++) {
        const part = parts[(next + step) % parts.length]!;
        if (part.bytes.length !== item.length || Buffer.compare(part.bytes, item) !== 0) continue;
        next = (next + step + 1) % parts.length;
        return part.host;
      }
      return null;
    },
  };
}
