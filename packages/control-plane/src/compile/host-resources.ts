/** Clusters and endpoints of one host, as clients of each namespace get them. */
import type { DeclaredService, HostView, MeshHost, WorkloadLabels } from '@heddle/model';
import { TypeUrl, type EncodedResource } from '@heddle/xds';
import type { Instance } from '../instances/instance-store.ts';
import { declaredCluster, outboundCluster, planClusters, type ClusterPlan } from './clusters.ts';
import { declaredEndpoints, expectsMeshTls, portOf, type ClusterEndpoint } from './declared-clusters.ts';
import { instanceEndpoints, loadAssignment } from './endpoints.ts';
import { makeResource } from './make-resource.ts';
import type { IsPlain } from './plain-peers.ts';

/** By cluster name, in the order of the plan. */
export interface ViewResources {
  readonly clusters: ReadonlyMap<string, EncodedResource>;
  readonly endpoints: ReadonlyMap<string, EncodedResource>;
}

export interface HostResources {
  readonly shared: ViewResources;
  /** Client namespaces that see the host differently. */
  readonly views: ReadonlyMap<string, ViewResources>;
}

/** Instances of a host, sorted by id, and the identities that they have proven, sorted. */
export interface HostMembers {
  readonly instances: readonly Instance[];
  readonly identities: readonly string[];
}

/** Who is in the mesh at the moment. */
export interface MemberSource {
  members(host: string): HostMembers | undefined;
  /** The instances of a namespace, sorted by id, that carry all of these labels. */
  selected(namespace: string, labels: WorkloadLabels): readonly Instance[];
  /** The SPIFFE id of a service account. */
  identityOf(owner: { readonly namespace: string; readonly serviceAccount: string }): string;
}

const noMembers: HostMembers = { instances: [], identities: [] };

/** Compiles a host's clusters and endpoints; what comes out as it was in `previous` is the same object. */
export function compileHostResources(
  host: MeshHost,
  source: MemberSource,
  previous: HostResources | undefined,
  isPlain: IsPlain,
): HostResources {
  const known = new KnownResources(previous);
  const members = source.members(host.host) ?? noMembers;
  const compile = (view: HostView): ViewResources => {
    const { declared } = view;
    return declared === undefined
      ? compileView(host, view, members, known, isPlain)
      : compileDeclared(view, declared, members, source, known, isPlain);
  };
  const shared = compile(host.shared);
  const views = new Map([...host.views].map(([namespace, view]) => [namespace, compile(view)]));
  return { shared, views };
}

/** Names of clusters, or of endpoints, that differ between two states of a host in any view. */
export function changedNames(
  before: HostResources | undefined,
  after: HostResources | undefined,
  kind: keyof ViewResources,
): Set<string> {
  const changed = new Set<string>();
  const namespaces = new Set(['', ...(before?.views.keys() ?? []), ...(after?.views.keys() ?? [])]);
  for (const namespace of namespaces) {
    const old = viewFor(before, namespace)?.[kind];
    const fresh = viewFor(after, namespace)?.[kind];
    for (const [name, resource] of fresh ?? []) if (old?.get(name) !== resource) changed.add(name);
    for (const name of old?.keys() ?? []) if (fresh?.has(name) !== true) changed.add(name);
  }
  return changed;
}

/** What clients of a namespace get. */
export function viewFor(host: HostResources | undefined, namespace: string): ViewResources | undefined {
  return host?.views.get(namespace) ?? host?.shared;
}

/** Names of the clusters, in any view, that have this instance as an endpoint: one of the host's own, or a selected one. */
export function clustersWith(host: MeshHost, instance: Instance): Set<string> {
  const names = new Set<string>();
  for (const view of [host.shared, ...host.views.values()]) {
    const { declared } = view;
    for (const plan of planClusters(host.host, view)) {
      const ports = [plan.port, declared === undefined ? plan.port : portOf(plan, declared)?.targetPort];
      if (ports.some((port) => instanceEndpoints(plan, [instance], port).length > 0)) names.add(plan.name);
    }
  }
  return names;
}

function compileView(
  { host, service }: MeshHost,
  view: HostView,
  members: HostMembers,
  known: KnownResources,
  isPlain: IsPlain,
): ViewResources {
  const clusters = new Map<string, EncodedResource>();
  const endpoints = new Map<string, EncodedResource>();
  // A name that only a VirtualService gives has routes, but no instances of its own.
  const plans: ClusterPlan[] = service === null ? [] : planClusters(host, view);
  const hasPlain = members.instances.some(isPlain);
  for (const plan of plans) {
    const cluster = outboundCluster(plan, host, members.identities, hasPlain);
    clusters.set(plan.name, known.make('clusters', TypeUrl.cluster, plan.name, cluster));
    const assignment = loadAssignment(plan, instanceEndpoints(plan, members.instances, plan.port, isPlain));
    endpoints.set(plan.name, known.make('endpoints', TypeUrl.clusterLoadAssignment, plan.name, assignment));
  }
  return { clusters, endpoints };
}

/** The same for a service of which objects say something. */
function compileDeclared(
  view: HostView,
  declared: DeclaredService,
  own: HostMembers,
  source: MemberSource,
  known: KnownResources,
  isPlain: IsPlain,
): ViewResources {
  const { host, namespace, selector, isExternal, subjectAltNames } = declared;
  const ids = new Set(own.instances.map(({ instance }) => instance));
  const selected =
    selector === null || isExternal
      ? []
      : source.selected(namespace, selector).filter(({ instance }) => !ids.has(instance));
  const hasMeshTls = own.identities.length > 0 || selected.length > 0 || expectsMeshTls(declared);
  const accounts = declared.endpoints.flatMap(({ identity }) => identity ?? []);
  const proven = [...own.identities, ...[...selected, ...accounts].map((owner) => source.identityOf(owner))];
  const expected = subjectAltNames.length > 0 ? subjectAltNames : proven;
  const identities = hasMeshTls ? [...new Set(expected)].sort() : null;
  const hasPlain =
    [...own.instances, ...selected].some(isPlain) ||
    declared.endpoints.some(({ identity }) => identity === null);
  const clusters = new Map<string, EncodedResource>();
  const endpoints = new Map<string, EncodedResource>();
  for (const plan of planClusters(host, view)) {
    const members: ClusterEndpoint[] = [
      ...instanceEndpoints(plan, own.instances, plan.port, isPlain),
      ...instanceEndpoints(plan, selected, portOf(plan, declared)?.targetPort, isPlain),
      ...declaredEndpoints(plan, declared, hasMeshTls),
    ];
    const cluster = declaredCluster(plan, declared, members, identities, hasPlain);
    clusters.set(plan.name, known.make('clusters', TypeUrl.cluster, plan.name, cluster));
    if (declared.resolution !== 'STATIC') continue;
    const assignment = loadAssignment(plan, members);
    endpoints.set(plan.name, known.make('endpoints', TypeUrl.clusterLoadAssignment, plan.name, assignment));
  }
  return { clusters, endpoints };
}

/** Resources of the host as it was, and of its views that are compiled already. */
class KnownResources {
  private readonly byName = {
    clusters: new Map<string, EncodedResource[]>(),
    endpoints: new Map<string, EncodedResource[]>(),
  };

  constructor(previous: HostResources | undefined) {
    if (previous === undefined) return;
    for (const view of [previous.shared, ...previous.views.values()]) {
      for (const resource of view.clusters.values()) this.add('clusters', resource);
      for (const resource of view.endpoints.values()) this.add('endpoints', resource);
    }
  }

  make(kind: keyof ViewResources, typeUrl: TypeUrl, name: string, message: Uint8Array): EncodedResource {
    const resource = makeResource(typeUrl, name, message, this.byName[kind].get(name));
    this.add(kind, resource);
    return resource;
  }

  private add(kind: keyof ViewResources, resource: EncodedResource): void {
    const known = this.byName[kind].get(resource.name);
    if (known === undefined) this.byName[kind].set(resource.name, [resource]);
    else if (!known.includes(resource)) known.push(resource);
  }
}
