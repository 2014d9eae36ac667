/**
 * The control plane without its surroundings: stores, leases, model, xDS. It knows no sockets, no HTTP and no database,
 * reads time from its clock only and does everything in a fixed order, so that a whole mesh can be simulated in one
 * process.
 */
import type { Clock, Logger, Timer } from '@heddle/base';
import {
  MeshCompiler,
  PolicyIndex,
  defaultDomain,
  type MeshChange as ModelChange,
  type MeshModel,
  type MeshService,
  type ObjectGroup,
  type ObjectKind,
  type StoredObject,
} from '@heddle/model';
import { TypeUrl, type ResourceSource, type RpcMethods } from '@heddle/xds';
import { DeltaServer } from '@heddle/xds/server';
import { FilterFactory } from '../compile/authorization/workload-filters.ts';
import type { SidecarNode } from '../compile/node-metadata.ts';
import { MeshResources } from '../compile/mesh-resources.ts';
import { ConfigMirror, type MirrorChange } from '../config/config-mirror.ts';
import { Configuration } from '../config/configuration.ts';
import { previewEffects, type Effect } from '../preview/preview-effects.ts';
import type { Instance, InstanceStore } from '../instances/instance-store.ts';
import { LeaseManager, type LeaseEvent, type LeaseTimes } from '../instances/lease-manager.ts';
import { ServiceIndex } from '../instances/service-index.ts';
import {
  certificateService,
  createCertificateMethod,
  type CertificateIssuer,
} from '../rpc/certificate-service.ts';
import { instanceService, leaseMethod, type RemovalOutcome } from '../rpc/instance-service.ts';
import { clientStatusService } from '../rpc/client-status-service.ts';
import { loadReportMethod, loadReportService } from '../rpc/load-report-service.ts';
import { metricsService, streamMetricsMethod } from '../rpc/metrics-service.ts';
import { admitNode } from '../rpc/node-admission.ts';
import type { ConfigStore } from '../store/config-store.ts';
import type { ServiceBindings } from '../store/service-bindings.ts';
import { TrafficCollector } from '../telemetry/traffic-collector.ts';
import { ControlPlaneMetrics } from './control-plane-metrics.ts';

export interface ControlPlaneOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly configStore: ConfigStore;
  readonly instanceStore: InstanceStore;
  /** Asked for instances whose service account is not named like their service. */
  readonly bindings: ServiceBindings;
  readonly issuer: CertificateIssuer;
  readonly leaseTimes?: LeaseTimes;
  /** How long a withdrawal waits for proxies to confirm it; default 5 s. */
  readonly withdrawTimeoutMs?: number;
}

const defaultWithdrawTimeoutMs = 5000;
/** Of changes in quick succession: short for people, long for a look at thousands of streams. */
const mergeWindowMs = 50;
/** How long a service without instances stays known: longer than any restart, shorter than a test environment's life. */
const desertedServiceMs = 600_000;

export class ControlPlane {
  readonly configuration: Configuration;
  readonly mirror: ConfigMirror;
  readonly leases: LeaseManager;
  readonly services: ServiceIndex;
  readonly policies: PolicyIndex;
  readonly traffic: TrafficCollector;
  readonly metrics: ControlPlaneMetrics;
  readonly ads: DeltaServer;
  /** What sidecars call, whatever carries it. */
  readonly methods: RpcMethods;
  private readonly compiler: MeshCompiler;
  private readonly resources: MeshResources;
  private readonly withdrawTimeoutMs: number;
  private readonly clock: Clock;
  /** By host: when a service without instances is forgotten. */
  private readonly desertions = new Map<string, Timer>();
  private isClosed = false;

  private constructor(options: ControlPlaneOptions, parts: Parts) {
    const { clock, logger, issuer } = options;
    this.clock = clock;
    this.mirror = parts.mirror;
    this.leases = parts.leases;
    this.services = parts.services;
    this.compiler = parts.compiler;
    this.policies = parts.policies;
    this.withdrawTimeoutMs = options.withdrawTimeoutMs ?? defaultWithdrawTimeoutMs;
    this.configuration = new Configuration(
      options.configStore,
      this.mirror,
      () => this.services.services(),
      defaultDomain,
    );
    this.traffic = new TrafficCollector(clock);
    this.metrics = new ControlPlaneMetrics(clock);
    this.resources = new MeshResources(
      this.compiler.model,
      { policies: this.policies, filters: new FilterFactory([issuer.trustDomain]) },
      issuer.bundlePem,
      this.services,
    );
    this.resources.changeFilters({ objects: objectsOf(parts.mirror) });
    this.ads = this.makeAds(clock, logger, issuer.trustDomain);
    this.methods = new Map([
      ...this.ads.methods,
      [
        leaseMethod,
        instanceService({
          leases: this.leases,
          bindings: options.bindings,
          clock,
          logger,
          trustDomain: issuer.trustDomain,
          awaitRemoval: (instance, remove) => this.awaitRemoval(instance, remove),
        }),
      ],
      [
        createCertificateMethod,
        certificateService({
          issuer,
          logger,
          onRequest: () => this.metrics.noteCertificateRequest(),
          onIssued: () => this.metrics.noteCertificateIssued(),
        }),
      ],
      [streamMetricsMethod, metricsService(this.traffic)],
      ...clientStatusService({ ads: this.ads, source: this.resources }),
      [loadReportMethod, loadReportService({ collector: this.traffic, trustDomain: issuer.trustDomain })],
    ]);
  }

  /** Reads both stores and is ready to serve. Instances found get one full lease to report. */
  static async open(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { clock, logger, instanceStore, leaseTimes, issuer } = options;
    const leases = new LeaseManager({
      clock,
      logger,
      store: instanceStore,
      ...(leaseTimes === undefined ? {} : { times: leaseTimes }),
    });
    await leases.restore();
    let controlPlane: ControlPlane | null = null;
    const mirror = await ConfigMirror.open({
      store: options.configStore,
      clock,
      logger,
      onChange: (change) => controlPlane?.onConfiguration(change),
    });
    // From here on nothing is waited for, so that no lease is missed.
    const services = new ServiceIndex(defaultDomain, issuer.trustDomain);
    for (const { instance } of leases.list()) services.put(instance);
    const compiler = compileFrom(mirror, services);
    const policies = policiesFrom(mirror);
    controlPlane = new ControlPlane(options, { leases, services, mirror, compiler, policies });
    leases.onChange((event) => controlPlane.onLease(event));
    return controlPlane;
  }

  /** The mesh as it is compiled at the moment. */
  get model(): MeshModel {
    return this.compiler.model;
  }

  /**
   * What these changes of the configuration, one after the other, would do to what the connected proxies have: by change,
   * what would be otherwise after all of them. Nothing is stored, and nobody is told.
   */
  async preview(changes: readonly ModelChange[]): Promise<Effect[][]> {
    const compiler = compileFrom(this.mirror, this.services);
    const policies = policiesFrom(this.mirror);
    const after = this.resources.fork(policies);
    return await previewEffects({
      before: this.resources.fork(policiesFrom(this.mirror)),
      after,
      subscriptions: this.ads.subscriptions(),
      steps: changes.map((change) => () => {
        const changedPolicies = policies.apply(change);
        after.update({ ...compiler.apply(change), changedMembers: new Set(), changedPolicies });
      }),
      pause: () => new Promise((resolve) => void this.clock.setTimer(0, resolve)),
    });
  }

  /** What a client does without of what it is sent of a type for these hosts, each for a sentence. */
  withheld(node: SidecarNode, typeUrl: string, hosts: Iterable<string>): readonly string[] {
    return this.resources.withheld(node, typeUrl, hosts);
  }

  /** What proxies are sent, as each of them sees it. */
  get source(): ResourceSource {
    return this.resources;
  }

  /** Replaces the trust bundle that proxies are given. */
  setTrustBundle(pem: string): void {
    this.resources.setTrustBundle(pem);
  }

  /** Ends all streams; proxies keep what they have. Stores stay open: they are their opener's. Idempotent. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const timer of this.desertions.values()) timer.cancel();
    this.mirror.close();
    // Before the streams end: their end must not look like that of the instances.
    await this.leases.close();
    this.ads.close();
  }

  private makeAds(clock: Clock, logger: Logger, trustDomain: string): DeltaServer {
    return new DeltaServer({
      source: this.resources,
      clock,
      mergeWindowMs,
      hooks: {
        onConnect: (client) => {
          const refusal = admitNode(client, trustDomain);
          const { node, peer } = client;
          if (refusal === null) logger.info('Proxy connected', { node: node.id, identity: peer.identity });
          else logger.warn('Proxy refused', { identity: peer.identity, reason: refusal.message });
          return refusal;
        },
        onDisconnect: ({ node }) => logger.info('Proxy disconnected', { node: node.id }),
        onSend: (_client, typeUrl) => this.metrics.noteSent(typeUrl),
        onAck: (client) => this.metrics.noteAcknowledged(client),
        onNack: ({ node }, rejected) => {
          this.metrics.noteRejected(new Set(rejected.map(({ typeUrl }) => typeUrl)));
          for (const { typeUrl, name, reason } of rejected)
            logger.warn('A proxy refused a resource', { node: node.id, typeUrl, resource: name, reason });
        },
        onError: (client, error) =>
          logger.error('Cannot serve a proxy', { node: client?.node.id, error: String(error) }),
      },
    });
  }

  private onConfiguration({ put, deleted }: MirrorChange): void {
    const objects = put.map(({ object, stored }) => ({ object, createdRevision: stored.createdRevision }));
    const deletedObjects = deleted.map((stored) => ({
      // Only valid objects are mirrored, so this is one of the model's kinds.
      group: stored.group as ObjectGroup,
      kind: stored.kind as ObjectKind,
      namespace: stored.namespace,
      name: stored.name,
    }));
    this.change({ objects, deletedObjects }, []);
  }

  private onLease(event: LeaseEvent): void {
    switch (event.type) {
      case 'state':
        return;
      case 'withdrawn':
        this.changeMembers([this.services.remove(event.instance)], [event.instance]);
        return;
      case 'published': {
        const { instance, previous } = event;
        const left = previous === undefined ? [] : [this.services.remove(previous)];
        this.changeMembers(
          [...left, this.services.put(instance)],
          [instance, ...(previous ? [previous] : [])],
        );
      }
    }
  }

  /** `instances` are those that came, went or changed; `hosts` are those of their own services. */
  private changeMembers(hosts: readonly string[], instances: readonly Instance[]): void {
    const services: MeshService[] = [];
    const deletedServices: string[] = [];
    for (const host of new Set(hosts)) {
      this.watchDesertion(host);
      const service = this.services.service(host);
      if (service === undefined) deletedServices.push(host);
      else services.push(service);
    }
    const selecting = instances.flatMap((instance) => this.resources.hostsSelecting(instance));
    this.change({ services, deletedServices }, [...hosts, ...selecting]);
  }

  private watchDesertion(host: string): void {
    this.desertions.get(host)?.cancel();
    this.desertions.delete(host);
    if (!this.services.isDeserted(host)) return;
    const timer = this.clock.setTimer(desertedServiceMs, () => {
      this.desertions.delete(host);
      if (this.services.forget(host)) this.changeMembers([host], []);
    });
    this.desertions.set(host, timer);
  }

  private change(change: ModelChange, changedMembers: readonly string[]): void {
    const { model, changedHosts } = this.compiler.apply(change);
    const changedPolicies = this.policies.apply(change);
    this.metrics.noteChange();
    this.resources.changeFilters(change);
    this.resources.update({
      model,
      changedHosts,
      changedMembers: new Set(changedMembers),
      changedPolicies,
    });
  }

  private async awaitRemoval(instance: Instance, remove: () => Promise<void>): Promise<RemovalOutcome> {
    // Asked before it is gone: afterwards its service may be, too.
    const names = this.resources.assignmentsWith(this.services.hostOf(instance), instance);
    const removed = remove();
    // A failure that comes before the proxies' answers is told with them.
    removed.catch(() => {});
    const outcome = await this.ads.whenAcknowledged(
      [...names].map((name) => ({ typeUrl: TypeUrl.clusterLoadAssignment, name })),
      this.withdrawTimeoutMs,
    );
    await removed;
    return outcome;
  }
}

/** The one way in which configuration and services become a mesh. */
function compileFrom(mirror: ConfigMirror, services: ServiceIndex): MeshCompiler {
  const compiler = new MeshCompiler({ domain: defaultDomain });
  compiler.apply({ objects: objectsOf(mirror), services: [...services.services().values()] });
  return compiler;
}

function policiesFrom(mirror: ConfigMirror): PolicyIndex {
  const policies = new PolicyIndex();
  policies.apply({ objects: objectsOf(mirror) });
  return policies;
}

function objectsOf(mirror: ConfigMirror): StoredObject[] {
  return mirror.list().map(({ object, stored }) => ({ object, createdRevision: stored.createdRevision }));
}

interface Parts {
  readonly leases: LeaseManager;
  readonly services: ServiceIndex;
  readonly mirror: ConfigMirror;
  readonly compiler: MeshCompiler;
  readonly policies: PolicyIndex;
}
