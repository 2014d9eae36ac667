/** What every proxy gets by xDS: the model and the instances, compiled. */
import { invariant } from '@heddle/base';
import { type MeshModel, type ObjectKind, type PolicyIndex, type Scoping, viewOf } from '@heddle/model';
import {
  encodeMessage,
  TypeUrl,
  type EncodedResource,
  type ResourceChange,
  type ResourceSource,
  type XdsClient,
} from '@heddle/xds';
import type { Instance } from '../instances/instance-store.ts';
import {
  blackHole,
  inboundCluster,
  inboundPassthrough,
  originalDestination,
  passthrough,
} from './clusters.ts';
import {
  changedNames,
  clustersWith,
  compileHostResources,
  viewFor,
  type HostResources,
  type MemberSource,
  type ViewResources,
} from './host-resources.ts';
import { EnvoyResources } from './envoy-filters/envoy-resources.ts';
import type { FilterChange } from './envoy-filters/filter-index.ts';
import { GrpcResources } from './grpc/grpc-resources.ts';
import { makeResource } from './make-resource.ts';
import {
  blackHoleCluster,
  hostOfCluster,
  inboundClusterName,
  originalDestinationCluster,
  passthroughCluster,
  passthroughFamilies,
  trustBundleSecret,
  upstreamRoutesName,
} from './names.ts';
import { NamespaceListeners, namespaceListenerNames } from './namespace-listeners.ts';
import { readSidecarNode, type SidecarNode } from './node-metadata.ts';
import { type InboundSecurity, OwnListeners, inboundListenerNames } from './own-listeners.ts';
import { PlainPeers } from './plain-peers.ts';
import { RouteResources, type RoutesClient } from './route-resources.ts';
import { ScopeView } from './scope-view.ts';
import { Selections } from './selections.ts';
import { UpstreamListeners, listenersFor } from './upstream-listeners.ts';

/** What all clients of a namespace see of the mesh, by name. Kept in step with the hosts, so that asking costs one look. */
interface RoleResources {
  readonly clusters: Map<string, EncodedResource>;
  readonly endpoints: Map<string, EncodedResource>;
}

/** What belongs to one client alone, and what it has in common with others. */
interface ClientResources {
  readonly node: SidecarNode;
  /** As whom it reads routes, and which part of its role's it sees. */
  reader: RoutesClient;
  /** The scoping by which the view was chosen. */
  scoping: Scoping;
  /** The one by which it became another one than before. */
  movedBy: Scoping | null;
  readonly role: RoleResources;
  /** All but those that depend on the mesh. */
  readonly listeners: OwnListeners;
  readonly upstreams: UpstreamListeners;
  /** Its application's, and what interception needs. */
  readonly clusters: ReadonlyMap<string, EncodedResource>;
}

/** A change of the mesh, told in one piece. */
export interface MeshChange {
  readonly model: MeshModel;
  /** Hosts that the model shows differently. */
  readonly changedHosts: ReadonlySet<string>;
  /** Hosts whose instances changed. */
  readonly changedMembers: ReadonlySet<string>;
  /** Kinds of policies of security that changed. */
  readonly changedPolicies: ReadonlySet<ObjectKind>;
}

/**
 * Holds encoded resources and says which of them change. Clusters and endpoints are compiled per host when it changes,
 * route configurations when somebody asks for them, listeners per proxy. What all proxies get is encoded once.
 */
export class MeshResources implements ResourceSource {
  private readonly members: MemberSource;
  private readonly selections = new Selections();
  private readonly peers: PlainPeers;
  private readonly hosts: Map<string, HostResources>;
  /** By namespace. */
  private readonly roles = new Map<string, RoleResources>();
  /** By what decides about them. */
  private views = new Map<string, ScopeView>();
  /** Those of before the last change of scopes, of which many are still good. */
  private formerViews: ReadonlyMap<string, ScopeView> = new Map();
  private readonly routes: RouteResources;
  private readonly clients = new WeakMap<XdsClient, ClientResources>();
  private readonly listeners = new Set<(changes: readonly ResourceChange[]) => void>();
  private readonly passthrough = makeResource(TypeUrl.cluster, passthroughCluster, passthrough('heddle'));
  private readonly envoyPassthrough = makeResource(TypeUrl.cluster, passthroughCluster, passthrough('envoy'));
  private readonly blackHole = makeResource(TypeUrl.cluster, blackHoleCluster, blackHole());
  private readonly namespaces: NamespaceListeners;
  private readonly security: InboundSecurity;
  private readonly grpc: GrpcResources;
  private readonly envoys = new EnvoyResources();
  private trustBundle: EncodedResource;
  private model: MeshModel;

  /** `compiled` holds hosts that need not be compiled. */
  constructor(
    model: MeshModel,
    security: InboundSecurity,
    bundlePem: string,
    members: MemberSource,
    compiled: ReadonlyMap<string, HostResources> = new Map(),
  ) {
    this.model = model;
    this.security = security;
    this.members = members;
    this.grpc = new GrpcResources(security);
    this.peers = new PlainPeers(security.policies, members);
    this.hosts = new Map(compiled);
    this.routes = new RouteResources(model);
    this.trustBundle = makeTrustBundle(bundlePem);
    for (const [name, host] of model.hosts) this.selections.set(name, host);
    for (const host of [...model.hosts.keys()].sort()) if (!this.hosts.has(host)) this.compileHost(host);
    this.namespaces = new NamespaceListeners(model);
  }

  /** Takes a change in and tells whoever watches which resources it changes. */
  update({ model, changedHosts, changedMembers, changedPolicies }: MeshChange): void {
    const previous = this.model;
    this.model = model;
    const clusters = new Set<string>();
    const endpoints = new Set<string>();
    const repeered = changedPolicies.has('PeerAuthentication') ? this.peers.changed(model) : [];
    for (const host of new Set([...changedHosts, ...changedMembers, ...repeered].sort())) {
      const before = this.hosts.get(host);
      const after = this.compileHost(host);
      for (const name of changedNames(before, after, 'clusters')) clusters.add(name);
      for (const name of changedNames(before, after, 'endpoints')) endpoints.add(name);
    }
    for (const view of this.views.values()) {
      for (const host of view.update(model, changedHosts)) {
        const seen = viewFor(this.hosts.get(host), view.scope.namespace);
        for (const name of seen?.clusters.keys() ?? []) clusters.add(name);
        for (const name of seen?.endpoints.keys() ?? []) endpoints.add(name);
      }
    }
    // Which proxies have which listeners, and whether they change, is not known here, either.
    const changesPolicies = changedPolicies.size > 0;
    const listeners = new Set<string>(changesPolicies ? inboundListenerNames : []);
    if (changesPolicies) for (const name of this.grpc.serverListeners) listeners.add(name);
    for (const hosts of [previous.hosts, model.hosts])
      for (const host of changedHosts) {
        for (const name of listenersFor(hosts.get(host))) listeners.add(name);
        for (const name of this.grpc.listenersFor(hosts.get(host))) listeners.add(name);
      }
    const changes: ResourceChange[] = [];
    if (clusters.size > 0) changes.push({ typeUrl: TypeUrl.cluster, names: clusters });
    if (endpoints.size > 0) changes.push({ typeUrl: TypeUrl.clusterLoadAssignment, names: endpoints });
    if (changedHosts.size > 0) {
      const virtualHosts = this.routes.setModel(model, (view) => this.isInUse(view));
      if (virtualHosts.size > 0) changes.push({ typeUrl: TypeUrl.virtualHost, names: virtualHosts });
      // Which names proxies have asked for is not known here; those that come out the same are not sent.
      changes.push({ typeUrl: TypeUrl.routeConfiguration });
      this.namespaces.setModel(model);
      for (const name of namespaceListenerNames) listeners.add(name);
    }
    if (listeners.size > 0) changes.push({ typeUrl: TypeUrl.listener, names: listeners });
    if (model.scoping !== previous.scoping) changes.push(...this.moveClients(model.scoping));
    this.emit(changes);
    this.formerViews = new Map();
  }

  /** Whose view becomes another one has to look at everything; who keeps his is not asked. */
  private moveClients(scoping: Scoping): ResourceChange[] {
    this.formerViews = this.views;
    this.views = new Map();
    const concerns = (client: XdsClient): boolean => this.client(client).movedBy === scoping;
    const types = [
      TypeUrl.cluster,
      TypeUrl.clusterLoadAssignment,
      TypeUrl.listener,
      TypeUrl.routeConfiguration,
      TypeUrl.virtualHost,
    ];
    return types.map((typeUrl) => ({ typeUrl, concerns }));
  }

  private isInUse(view: ScopeView): boolean {
    return this.views.get(view.scope.key) === view;
  }

  private viewOf({ namespace, labels }: SidecarNode): ScopeView {
    const scope = this.model.scoping.resolve(namespace, labels);
    const known = this.views.get(scope.key) ?? this.formerViews.get(scope.key);
    const view = known ?? new ScopeView(scope, this.model);
    this.views.set(scope.key, view);
    return view;
  }

  /** The same resources, which can be changed without anybody being told; members stay those of now, `policies` are its own. */
  fork(policies: PolicyIndex): MeshResources {
    const { members: source } = this;
    const present = new Map([...this.model.hosts.keys()].map((host) => [host, source.members(host)]));
    const members: MemberSource = {
      members: (host) => (present.has(host) ? present.get(host) : source.members(host)),
      selected: (namespace, labels) => source.selected(namespace, labels),
      identityOf: (owner) => source.identityOf(owner),
    };
    const fork = new MeshResources(this.model, { ...this.security, policies }, '', members, this.hosts);
    fork.trustBundle = this.trustBundle;
    return fork;
  }

  /** Takes in which EnvoyFilters there are. */
  changeFilters(change: FilterChange): void {
    if (this.envoys.apply(change)) this.emit([{ typeUrl: TypeUrl.listener }]);
  }

  /** Replaces the trust bundle. */
  setTrustBundle(bundlePem: string): void {
    const before = this.trustBundle;
    this.trustBundle = makeTrustBundle(bundlePem);
    if (before.version === this.trustBundle.version) return;
    this.emit([{ typeUrl: TypeUrl.secret, names: new Set([trustBundleSecret]) }]);
  }

  get(client: XdsClient, typeUrl: string, name: string): EncodedResource | undefined {
    const { node } = this.client(client);
    if (node.client !== 'grpc') {
      const original = this.original(client, typeUrl, name);
      const isPatched = node.client === 'envoy' && typeUrl === TypeUrl.listener;
      return isPatched && original !== undefined ? this.envoys.listener(node, original) : original;
    }
    return this.grpc.get(node, typeUrl, name, this.model, (type, of) => this.original(client, type, of));
  }

  /** What clients like this one do without of the routes, or clusters, that they are sent for these hosts. */
  withheld(node: SidecarNode, typeUrl: string, hosts: Iterable<string>): string[] {
    if (node.client !== 'grpc') return [];
    const { namespace, labels } = node;
    const reader = { namespace, labels, view: this.viewOf(node) };
    const found = new Set<string>();
    for (const name of hosts) {
      const host = this.model.hosts.get(name);
      const ports = host === undefined ? [] : viewOf(host, namespace).ports;
      const originals =
        typeUrl === TypeUrl.cluster
          ? [...(viewFor(this.hosts.get(name), namespace)?.clusters.values() ?? [])]
          : ports.map(({ port }) => this.routes.get(upstreamRoutesName(name, port, namespace), reader));
      for (const original of originals)
        for (const what of this.grpc.withheld(typeUrl, original)) found.add(what);
    }
    return [...found].sort();
  }

  /** What a sidecar is sent. */
  private original(client: XdsClient, typeUrl: string, name: string): EncodedResource | undefined {
    switch (typeUrl) {
      case TypeUrl.cluster: {
        if (name === passthroughCluster)
          return this.client(client).node.client === 'envoy' ? this.envoyPassthrough : this.passthrough;
        const { role, reader, clusters, node } = this.client(client);
        const { view } = reader;
        if (name === blackHoleCluster) return hasBlackHole(node, view) ? this.blackHole : undefined;
        const found = role.clusters.get(name);
        if (found === undefined) return clusters.get(name);
        return view.isWhole || view.reaches(hostOfCluster(name)) ? found : undefined;
      }
      case TypeUrl.clusterLoadAssignment: {
        const { role, reader } = this.client(client);
        const { view } = reader;
        return view.isWhole || view.reaches(hostOfCluster(name)) ? role.endpoints.get(name) : undefined;
      }
      case TypeUrl.listener:
        return this.listener(client, name);
      case TypeUrl.routeConfiguration:
        return this.routeConfiguration(this.client(client), name);
      case TypeUrl.virtualHost:
        return this.routes.virtualHost(name, this.client(client).reader);
      case TypeUrl.secret:
        return name === trustBundleSecret ? this.trustBundle : undefined;
      default:
        return undefined;
    }
  }

  list(client: XdsClient, typeUrl: string): Iterable<string> {
    const { node, role, reader, listeners, upstreams, clusters } = this.client(client);
    const { view } = reader;
    // gRPC names all that it wants.
    if (node.client === 'grpc') return [];
    if (typeUrl === TypeUrl.listener) {
      return [...listeners.names, ...upstreams.names, ...this.namespaces.names(node)];
    }
    if (typeUrl !== TypeUrl.cluster) return [];
    // Its own come last: the responses before are those that others are sent.
    const own = [passthroughCluster, ...clusters.keys()];
    if (hasBlackHole(node, view)) own.push(blackHoleCluster);
    if (view.isWhole) return [...role.clusters.keys(), ...own];
    const reached: string[] = [];
    for (const host of view.reached())
      reached.push(...(viewFor(this.hosts.get(host), node.namespace)?.clusters.keys() ?? []));
    return [...reached, ...own];
  }

  listCollection(client: XdsClient, typeUrl: string, collection: string): Iterable<string> {
    if (typeUrl !== TypeUrl.virtualHost) return [];
    return this.routes.listVirtualHosts(collection, this.client(client).reader);
  }

  watch(listener: (changes: readonly ResourceChange[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The hosts that have this instance as an endpoint because of its labels. */
  hostsSelecting(instance: Instance): string[] {
    return this.selections.hostsWith(instance);
  }

  /** Names of the load assignments that hold this instance, in the present model. */
  assignmentsWith(hostName: string, instance: Instance): ReadonlySet<string> {
    const names = new Set<string>();
    for (const name of [hostName, ...this.hostsSelecting(instance)]) {
      const host = this.model.hosts.get(name);
      if (host === undefined) continue;
      for (const cluster of clustersWith(host, instance)) names.add(cluster);
    }
    return names;
  }

  private compileHost(name: string): HostResources | undefined {
    const host = this.model.hosts.get(name);
    const before = this.hosts.get(name);
    const isPlain = this.peers.note(name, host);
    const compiled =
      host === undefined ? undefined : compileHostResources(host, this.members, before, isPlain);
    this.selections.set(name, host);
    if (compiled === undefined) this.hosts.delete(name);
    else this.hosts.set(name, compiled);
    for (const [namespace, role] of this.roles)
      replaceView(role, viewFor(before, namespace), viewFor(compiled, namespace));
    return compiled;
  }

  private role(namespace: string): RoleResources {
    let role = this.roles.get(namespace);
    if (role === undefined) {
      role = { clusters: new Map(), endpoints: new Map() };
      for (const host of this.hosts.values()) replaceView(role, undefined, viewFor(host, namespace));
      this.roles.set(namespace, role);
    }
    return role;
  }

  private routeConfiguration({ node, reader }: ClientResources, name: string): EncodedResource | undefined {
    return (
      (node.hasVhds ? this.routes.frame(name, node.namespace) : undefined) ?? this.routes.get(name, reader)
    );
  }

  private listener(client: XdsClient, name: string): EncodedResource | undefined {
    const { node, reader, listeners, upstreams } = this.client(client);
    const { view } = reader;
    return (
      listeners.get(name) ?? upstreams.get(name, this.model, view) ?? this.namespaces.get(node, name, view)
    );
  }

  private client(client: XdsClient): ClientResources {
    const { scoping } = this.model;
    const known = this.clients.get(client);
    if (known !== undefined) {
      if (known.scoping !== scoping) {
        const { namespace, labels } = known.node;
        const view = this.viewOf(known.node);
        known.scoping = scoping;
        if (view !== known.reader.view) {
          known.movedBy = scoping;
          known.reader = { namespace, labels, view };
        }
      }
      return known;
    }
    const node = readSidecarNode(client.node);
    invariant(node.ok, 'the node was read when its stream began');
    const { namespace, labels } = node.value;
    const resources: ClientResources = {
      node: node.value,
      reader: { namespace, labels, view: this.viewOf(node.value) },
      scoping,
      movedBy: null,
      role: this.role(node.value.namespace),
      listeners: new OwnListeners(node.value, this.security),
      upstreams: new UpstreamListeners(node.value),
      clusters: ownClusters(node.value),
    };
    this.clients.set(client, resources);
    return resources;
  }

  private emit(changes: readonly ResourceChange[]): void {
    if (changes.length === 0) return;
    for (const listener of this.listeners) listener(changes);
  }
}

/** Where intercepted connections end that go nowhere. */
function hasBlackHole({ interception }: SidecarNode, { scope }: ScopeView): boolean {
  return interception !== null && scope.isRegistryOnly;
}

/** Puts what is seen of a host after a change in the place of what was seen before. */
function replaceView(
  role: RoleResources,
  before: ViewResources | undefined,
  after: ViewResources | undefined,
): void {
  for (const kind of ['clusters', 'endpoints'] as const) {
    for (const name of before?.[kind].keys() ?? [])
      if (after?.[kind].has(name) !== true) role[kind].delete(name);
    for (const [name, resource] of after?.[kind] ?? []) role[kind].set(name, resource);
  }
}

function ownClusters({
  servicePort,
  appPort,
  protocol,
  interception,
}: SidecarNode): Map<string, EncodedResource> {
  const messages = new Map<string, Uint8Array>();
  if (appPort > 0)
    messages.set(
      inboundClusterName(servicePort),
      inboundCluster(
        servicePort,
        appPort,
        protocol === 'http2' || protocol === 'grpc' || protocol === 'grpc-web',
      ),
    );
  if (interception !== null) {
    messages.set(originalDestinationCluster, originalDestination());
    for (const family of passthroughFamilies)
      messages.set(family.name, inboundPassthrough(family, interception.mode));
  }
  return new Map(
    [...messages].map(([name, message]) => [name, makeResource(TypeUrl.cluster, name, message)]),
  );
}

function makeTrustBundle(pem: string): EncodedResource {
  const message = encodeMessage(TypeUrl.secret, {
    name: trustBundleSecret,
    type: {
      $case: 'validationContext',
      value: { trustedCa: { specifier: { $case: 'inlineBytes', value: Buffer.from(pem, 'ascii') } } },
    },
  });
  return makeResource(TypeUrl.secret, trustBundleSecret, message);
}
