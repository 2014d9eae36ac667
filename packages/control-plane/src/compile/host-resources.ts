/** Clusters and endpoints of one host, as clients of each namespace get them. */
import type { HostView, MeshHost } from '@heddle/model';
import { TypeUrl, type EncodedResource } from '@heddle/xds';
import type { Instance } from '../instances/instance-store.ts';
import { outboundCluster, planClusters, type ClusterPlan } from './clusters.ts';
import { loadAssignment } from './endpoints.ts';
import { makeResource } from './make-resource.ts';

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

/** Compiles a host's clusters and endpoints; what comes out as it was in `previous` is the same object. */
export function compileHostResources(
  host: MeshHost,
  members: HostMembers,
  previous: HostResources | undefined,
): HostResources {
  const known = new KnownResources(previous);
  const compile = (view: HostView): ViewResources => compileView(host, view, members, known);
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

/** Names of the clusters, in any view, that have this instance as an endpoint. */
export function clustersWith(host: MeshHost, instance: Instance): Set<string> {
  const plans = [host.shared, ...host.views.values()].flatMap((view) => planClusters(host.host, view));
  const { servicePort, labels } = instance;
  const names = plans.filter(
    (plan) =>
      plan.port === servicePort && Object.entries(plan.labels).every(([key, value]) => labels[key] === value),
  );
  return new Set(names.map(({ name }) => name));
}

function compileView(
  { host, service }: MeshHost,
  view: HostView,
  members: HostMembers,
  known: KnownResources,
): ViewResources {
  const clusters = new Map<string, EncodedResource>();
  const endpoints = new Map<string, EncodedResource>();
  // A name that only a VirtualService gives has routes, but no instances of its own.
  const plans: ClusterPlan[] = service === null ? [] : planClusters(host, view);
  for (const plan of plans) {
    const cluster = outboundCluster(plan, host, members.identities);
    clusters.set(plan.name, known.make('clusters', TypeUrl.cluster, plan.name, cluster));
    const assignment = loadAssignment(plan, members.instances);
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
