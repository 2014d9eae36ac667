import { invariant } from '@heddle/base';
import { TypeUrl } from '@heddle/xds';
import type { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import type { ClusterSlot } from '../cluster/cluster-slot.ts';
import type { EndpointPool } from '../cluster/endpoint.ts';
import { RouteTableBuilder } from '../routing/compile-route-table.ts';
import type { RouteTable, RouteTableSlot } from '../routing/route-table.ts';
import type { VirtualHost } from '../routing/virtual-host.ts';
import type { ClusterStore } from './cluster-store.ts';
import { ProblemList } from './problem-list.ts';
import { splitMessage } from './split-message.ts';
import { decodeResource } from './unpack-config.ts';
import type { WantedNames } from './wanted-names.ts';

const virtualHostsField = 2;

type Slot<P extends EndpointPool> = RouteTableSlot<ClusterSlot<P>>;
type Host<P extends EndpointPool> = VirtualHost<ClusterSlot<P>>;

/** A route configuration as it arrived, with what each part of its bytes became. */
interface Received<P extends EndpointPool> {
  readonly bytes: Uint8Array;
  readonly rest: Uint8Array;
  readonly parts: readonly { readonly bytes: Uint8Array; readonly host: Host<P> }[];
}

interface RouteRecord<P extends EndpointPool> {
  readonly slot: Slot<P>;
  received: Received<P> | null;
  /** The control plane has said that there is no such route configuration. */
  isMissing: boolean;
}

/** The route tables by name, each in a slot that listeners hold. */
export class RouteStore<P extends EndpointPool> {
  private readonly clusters: ClusterStore<P>;
  private readonly wanted: WantedNames;
  private readonly records = new Map<string, RouteRecord<P>>();
  private readonly resolveCluster: (name: string) => ClusterSlot<P>;

  constructor(clusters: ClusterStore<P>, wanted: WantedNames) {
    this.clusters = clusters;
    this.wanted = wanted;
    this.resolveCluster = (name) => clusters.slot(name);
  }

  /** The slot for a name, subscribed to until it is released as often as it was acquired. */
  acquire(name: string): Slot<P> {
    const record = this.records.get(name) ?? {
      slot: { name, current: null },
      received: null,
      isMissing: false,
    };
    this.records.set(name, record);
    this.wanted.retain(name);
    return record.slot;
  }

  release(name: string): void {
    if (!this.wanted.release(name)) return;
    const record = this.records.get(name);
    this.records.delete(name);
    if (record !== undefined) this.swap(record.slot, null);
  }

  /** A slot with a table of its own, for routes given with a listener; null with problems noted. */
  createInline(config: RouteConfiguration, path: string, problems: ProblemList): Slot<P> | null {
    const before = problems.problems.length;
    const builder = new RouteTableBuilder(config, this.resolveCluster, path, problems);
    for (const host of config.virtualHosts) builder.add(host, () => host);
    if (problems.problems.length > before) return null;
    const slot: Slot<P> = { name: '', current: null };
    this.swap(slot, builder.finish());
    return slot;
  }

  releaseInline(slot: Slot<P>): void {
    this.swap(slot, null);
  }

  /** Slots by name. */
  get slots(): ReadonlyMap<string, Slot<P>> {
    return new Map([...this.records].map(([name, record]) => [name, record.slot]));
  }

  /** Whether requests may be routed: the table has arrived (or does not exist), and so have its clusters' endpoints. */
  isWarm(slot: Slot<P>): boolean {
    if (slot.current === null) return slot.name !== '' && this.records.get(slot.name)?.isMissing === true;
    return slot.current.virtualHosts.every((host) =>
      host.clusterNames.every((name) => this.clusters.isWarm(name)),
    );
  }

  /** Takes a new or changed route configuration; where problems are noted the one before stays. */
  apply(name: string, bytes: Uint8Array, problems: ProblemList): void {
    const record = this.records.get(name);
    if (
      record === undefined ||
      (record.received !== null && Buffer.compare(record.received.bytes, bytes) === 0)
    )
      return;
    const split = splitMessage(bytes, virtualHostsField);
    const config = decodeResource(TypeUrl.routeConfiguration, split === null ? bytes : split.rest, problems);
    if (config === null || split === null) return;
    if (config.name !== name) problems.invalid('name', `"${config.name}" is not the resource's name`);
    const builder = new RouteTableBuilder(config, this.resolveCluster, '', problems);
    // What is the same as before needs no second check, and keeps its compiled routes.
    const known = knownHosts(record.received, split.rest);
    const parts = split.items.map((item) => {
      const host = known.find(item);
      if (host === null) return { bytes: item, host: addHost(builder, item, problems) };
      builder.reuse(host);
      return { bytes: item, host };
    });
    if (!problems.isEmpty) return;
    record.received = { bytes, rest: split.rest, parts };
    record.isMissing = false;
    this.swap(record.slot, builder.finish());
  }

  /** There is no such route configuration. A table that is in use stays: a route is never taken away by silence. */
  remove(name: string): void {
    const record = this.records.get(name);
    if (record !== undefined) record.isMissing = true;
  }

  private swap(slot: Slot<P>, table: RouteTable<ClusterSlot<P>> | null): void {
    const previous = slot.current;
    if (table !== null) this.clusters.retain(clusterNames(table));
    slot.current = table;
    if (previous !== null) this.clusters.release(clusterNames(previous));
  }
}

function clusterNames(table: RouteTable<unknown>): Set<string> {
  const names = new Set<string>();
  for (const host of table.virtualHosts) for (const name of host.clusterNames) names.add(name);
  return names;
}

function addHost<C>(builder: RouteTableBuilder<C>, item: Uint8Array, problems: ProblemList): VirtualHost<C> {
  const message = decodeHost(item, problems);
  return builder.add(message, () => decodeHost(item, new ProblemList()));
}

/** A virtual host from its part of a route configuration's bytes, which is a route configuration of one virtual host. */
function decodeHost(item: Uint8Array, problems: ProblemList) {
  const config = decodeResource(TypeUrl.routeConfiguration, item, problems);
  const host = config?.virtualHosts[0];
  invariant(host !== undefined, 'a part that holds a virtual host has one');
  return host;
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
