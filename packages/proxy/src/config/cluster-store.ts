import { type Clock, invariant, type Random, type TimerWheel } from '@heddle/base';
import type { MetricRegistry } from '@heddle/telemetry';
import { TypeUrl } from '@heddle/xds';
import {
  Cluster,
  type EndpointList,
  type EndpointPoolFactory,
  defaultOverprovisioningPercent,
} from '../cluster/cluster.ts';
import { ClusterMetrics } from '../cluster/cluster-metrics.ts';
import { ClusterSlot } from '../cluster/cluster-slot.ts';
import { DnsDiscovery, type DnsDiscoveryConfig } from '../cluster/dns-discovery.ts';
import type { EndpointPool } from '../cluster/endpoint.ts';
import type { ProcessCounts } from '../stack/process-counts.ts';
import type { NameResolver } from '../dns/name-resolver.ts';
import { bundleSecretOf } from '../tls/tls-config.ts';
import { type CompiledCluster, compileCluster } from './compile-cluster.ts';
import { compileEndpoints } from './compile-endpoints.ts';
import { ProblemList } from './problem-list.ts';
import { decodeResource } from './unpack-config.ts';
import type { FileMaterials, TlsMaterials } from './tls-materials.ts';
import type { WantedNames } from './wanted-names.ts';

export interface ClusterStoreOptions<P extends EndpointPool> {
  readonly random: Random;
  readonly clock: Clock;
  readonly timers: TimerWheel;
  readonly resolver: NameResolver;
  readonly metrics: MetricRegistry;
  readonly createPool: EndpointPoolFactory<P>;
  /** What all threads count together; null in a process of one thread. */
  readonly counts: ProcessCounts | null;
  readonly wantedEndpoints: WantedNames;
  readonly wantedSecrets: WantedNames;
  /** A cluster came, changed or went; for counts. */
  readonly onChanged: (change: 'added' | 'modified' | 'removed') => void;
  readonly materials: FileMaterials;
  /** A cluster's names have been resolved for the first time: `isWarm` may answer differently now. */
  readonly onResolved: () => void;
}

/** What is kept of a cluster that has been checked: enough to build it when a request first comes for it. */
interface ClusterRecord {
  readonly bytes: Uint8Array;
  readonly edsName: string | null;
  readonly validationSecret: string | null;
}

const noEndpoints: EndpointList = {
  endpoints: [],
  overprovisioningPercent: defaultOverprovisioningPercent,
};

/** The clusters and load assignments that have arrived, encoded; built into `Cluster` objects where they are used. */
export class ClusterStore<P extends EndpointPool> {
  private readonly options: ClusterStoreOptions<P>;
  private readonly slots = new Map<string, ClusterSlot<P>>();
  private readonly records = new Map<string, ClusterRecord>();
  /** By EDS name; null where the control plane says that there is none. */
  private readonly assignments = new Map<string, Uint8Array | null>();
  /** Which clusters take their endpoints from an EDS name. */
  private readonly users = new Map<string, Set<string>>();

  constructor(options: ClusterStoreOptions<P>) {
    this.options = options;
  }

  /** The place of a cluster's name; made where there is none, and kept while `retain` holds it or the cluster is there. */
  slot(name: string): ClusterSlot<P> {
    let slot = this.slots.get(name);
    if (slot === undefined) {
      slot = new ClusterSlot(name);
      this.slots.set(name, slot);
    }
    return slot;
  }

  /** A route table leads to these clusters. */
  retain(names: Iterable<string>): void {
    for (const name of names) this.slot(name).references++;
  }

  /** A route table that led to these clusters is gone. */
  release(names: Iterable<string>): void {
    for (const name of names) {
      const slot = this.slot(name);
      slot.references--;
      this.forgetUnused(slot);
    }
  }

  /** Whether a cluster of this name has arrived. */
  has(name: string): boolean {
    return this.records.has(name);
  }

  get names(): Iterable<string> {
    return this.records.keys();
  }

  /** The clusters built so far. */
  *built(): Iterable<Cluster<P>> {
    for (const slot of this.slots.values()) {
      const cluster = slot.peek();
      if (cluster !== null) yield cluster;
    }
  }

  /** Builds what has not been used yet: for the few clusters of a file, so that they can be looked at from the start. */
  buildAll(): void {
    for (const name of this.records.keys()) this.slot(name).get();
  }

  /** Whether requests may be sent: the cluster's endpoints have arrived, or it does not exist. */
  isWarm(name: string): boolean {
    const edsName = this.records.get(name)?.edsName ?? null;
    if (edsName !== null) return this.assignments.has(edsName);
    return this.slots.get(name)?.peek()?.discovery?.isReady ?? true;
  }

  /** Whether all clusters are warm. */
  get areWarm(): boolean {
    for (const name of this.records.keys()) if (!this.isWarm(name)) return false;
    return true;
  }

  /** Takes a new or changed cluster; where problems are noted the one before stays. */
  applyCluster(name: string, bytes: Uint8Array, problems: ProblemList): void {
    const previous = this.records.get(name);
    if (previous !== undefined && Buffer.compare(previous.bytes, bytes) === 0) return;
    const compiled = compileBytes(bytes, problems, this.options.materials);
    if (compiled !== null && compiled.config.name !== name) {
      problems.invalid('name', `"${compiled.config.name}" is not the resource's name`);
    }
    if (compiled === null || !problems.isEmpty) return;
    const record: ClusterRecord = {
      bytes,
      edsName: compiled.edsName,
      validationSecret: bundleSecretOf(compiled.config.tls),
    };
    this.records.set(name, record);
    this.options.onChanged(previous === undefined ? 'added' : 'modified');
    this.retainNeeds(name, record);
    this.replace(this.slot(name), record, compiled);
    if (previous !== undefined) this.releaseNeeds(name, previous, record);
  }

  removeCluster(name: string): void {
    const record = this.records.get(name);
    if (record === undefined) return;
    const slot = this.slot(name);
    const cluster = slot.peek();
    this.records.delete(name);
    this.options.onChanged('removed');
    slot.set(null, null);
    cluster?.close();
    this.releaseNeeds(name, record, null);
    this.forgetUnused(slot);
  }

  /** Takes a new or changed load assignment; where problems are noted the one before stays. */
  applyEndpoints(name: string, bytes: Uint8Array, problems: ProblemList): void {
    const endpoints = decodeEndpoints(bytes, problems);
    if (!problems.isEmpty) return;
    this.assignments.set(name, bytes);
    this.updateEndpoints(name, endpoints);
  }

  /** There is no load assignment (any more): its clusters have no endpoints. */
  removeEndpoints(name: string): void {
    if (!this.users.has(name)) return;
    this.assignments.set(name, null);
    this.updateEndpoints(name, noEndpoints);
  }

  /** Closes all clusters. */
  close(): void {
    for (const name of [...this.records.keys()]) this.removeCluster(name);
  }

  private updateEndpoints(name: string, endpoints: EndpointList): void {
    for (const user of this.users.get(name) ?? []) {
      this.slots.get(user)?.peek()?.setEndpoints(endpoints, this.options.random);
    }
  }

  private replace(slot: ClusterSlot<P>, record: ClusterRecord, compiled: CompiledCluster): void {
    const built = slot.peek();
    const source = (): Cluster<P> => this.build(record);
    if (built === null) {
      // Names are resolved before the first request comes for them; all else waits for it.
      slot.set(source, compiled.config.dns === null ? null : this.fill(compiled));
      return;
    }
    if (JSON.stringify(built.config) === JSON.stringify(compiled.config)) {
      // Only the endpoints changed, or what has no effect: connections live on.
      slot.set(source, built);
      this.setEndpoints(built, compiled);
      return;
    }
    // The new one first: series that both have keep their counts.
    slot.set(source, this.fill(compiled));
    built.close();
  }

  private build(record: ClusterRecord): Cluster<P> {
    const problems = new ProblemList();
    const compiled = compileBytes(record.bytes, problems, this.options.materials.remembered);
    invariant(compiled !== null && problems.isEmpty, 'a cluster that has been checked compiles');
    return this.fill(compiled);
  }

  private fill(compiled: CompiledCluster): Cluster<P> {
    const { metrics, createPool, timers, counts } = this.options;
    const { config } = compiled;
    const ownMetrics = new ClusterMetrics(metrics, config.name);
    const cluster = new Cluster(config, ownMetrics, createPool, timers, counts);
    if (config.dns !== null) cluster.discovery = this.discover(cluster, config.dns);
    this.setEndpoints(cluster, compiled);
    return cluster;
  }

  private discover(cluster: Cluster<P>, config: DnsDiscoveryConfig): DnsDiscovery {
    const { resolver, clock, random, onResolved } = this.options;
    return new DnsDiscovery({
      config,
      resolver,
      clock,
      random,
      metrics: cluster.metrics,
      onEndpoints: (endpoints) => {
        const [first] = endpoints;
        if (config.isLogical && first !== undefined) cluster.setAddress(first, random);
        else cluster.setEndpoints({ ...noEndpoints, endpoints }, random);
      },
      onReady: onResolved,
    });
  }

  private setEndpoints(cluster: Cluster<P>, compiled: CompiledCluster): void {
    const { isPassthrough, originalDestination } = cluster.config;
    if (isPassthrough || originalDestination !== null) return;
    const list = this.endpointsOf(compiled);
    if (cluster.discovery === null) cluster.setEndpoints(list, this.options.random);
    else cluster.discovery.setTargets(list.endpoints);
  }

  private endpointsOf(compiled: CompiledCluster): EndpointList {
    if (compiled.endpoints !== null) return compiled.endpoints;
    const bytes = compiled.edsName === null ? undefined : this.assignments.get(compiled.edsName);
    return bytes === undefined || bytes === null ? noEndpoints : decodeEndpoints(bytes, new ProblemList());
  }

  private retainNeeds(name: string, record: ClusterRecord): void {
    if (record.validationSecret !== null) this.options.wantedSecrets.retain(record.validationSecret);
    if (record.edsName === null) return;
    const users = this.users.get(record.edsName);
    if (users === undefined) this.users.set(record.edsName, new Set([name]));
    else users.add(name);
    this.options.wantedEndpoints.retain(record.edsName);
  }

  private releaseNeeds(name: string, record: ClusterRecord, successor: ClusterRecord | null): void {
    if (record.validationSecret !== null) this.options.wantedSecrets.release(record.validationSecret);
    if (record.edsName === null) return;
    if (successor?.edsName !== record.edsName) this.users.get(record.edsName)?.delete(name);
    if (!this.options.wantedEndpoints.release(record.edsName)) return;
    this.users.delete(record.edsName);
    this.assignments.delete(record.edsName);
  }

  private forgetUnused(slot: ClusterSlot<P>): void {
    if (slot.references <= 0 && !this.records.has(slot.name)) this.slots.delete(slot.name);
  }
}

function compileBytes(
  bytes: Uint8Array,
  problems: ProblemList,
  materials: TlsMaterials,
): CompiledCluster | null {
  const message = decodeResource(TypeUrl.cluster, bytes, problems);
  return message === null ? null : compileCluster(message, problems, materials);
}

function decodeEndpoints(bytes: Uint8Array, problems: ProblemList): EndpointList {
  const message = decodeResource(TypeUrl.clusterLoadAssignment, bytes, problems);
  return message === null ? noEndpoints : compileEndpoints(message, '', problems);
}
