// The policies of security, by the workloads they are for.
import type { MeshObject, ObjectKey, ObjectKind, StoredObject } from '../manifest/object.ts';
import { formatKey, keyOf } from '../manifest/object.ts';
import { defaultRootNamespace } from '../mesh/host-name.ts';
import { type PeerMode, peerModeOf } from './peer-mode.ts';
import { isFor, type Workload } from './policy-scope.ts';

export type AuthorizationPolicy = Extract<MeshObject, { readonly kind: 'AuthorizationPolicy' }>;
export type PeerAuthentication = Extract<MeshObject, { readonly kind: 'PeerAuthentication' }>;
export type RequestAuthentication = Extract<MeshObject, { readonly kind: 'RequestAuthentication' }>;
export type SecurityPolicy = AuthorizationPolicy | PeerAuthentication | RequestAuthentication;

/** What holds for a workload. Lists have the root namespace's first, then by name. */
export interface WorkloadPolicies {
  readonly authorization: readonly AuthorizationPolicy[];
  /** Oldest first: of two for the same workloads the older one counts. */
  readonly peer: readonly PeerAuthentication[];
  readonly request: readonly RequestAuthentication[];
  /** What `peer` comes to. */
  readonly mtls: PeerMode;
}

interface Known {
  readonly object: SecurityPolicy;
  readonly createdRevision: number;
}

interface Answer {
  /** Of the policies when they were looked through. */
  readonly generation: string;
  readonly policies: WorkloadPolicies;
}

/** What changed since the last model, as `MeshCompiler` takes it. */
export interface PolicyChange {
  readonly deletedObjects?: readonly ObjectKey[];
  readonly objects?: readonly StoredObject[];
}

/**
 * Keeps policies and says which hold for a workload. Workloads for which the same hold get the same object, and get it again
 * after a change that is none for them, so that what is made of it can be shared and kept.
 */
export class PolicyIndex {
  private readonly rootNamespace: string;
  private readonly byNamespace = new Map<string, Map<string, Known>>();
  private readonly generations = new Map<string, number>();
  private readonly answers = new WeakMap<Workload, Answer>();
  /** By the keys of what holds; since the last change. */
  private readonly shared = new Map<string, WorkloadPolicies>();

  constructor(rootNamespace: string = defaultRootNamespace) {
    this.rootNamespace = rootNamespace;
  }

  /** Takes a change in. Returns the kinds of policies that it was about. */
  apply({ deletedObjects = [], objects = [] }: PolicyChange): ReadonlySet<ObjectKind> {
    const touched = new Set<string>();
    const kinds = new Set<ObjectKind>();
    for (const key of deletedObjects) {
      if (this.byNamespace.get(key.namespace)?.delete(formatKey(key)) !== true) continue;
      touched.add(key.namespace);
      kinds.add(key.kind);
    }
    for (const { object, createdRevision } of objects) {
      if (!isSecurityPolicy(object)) continue;
      const { namespace } = object.metadata;
      let policies = this.byNamespace.get(namespace);
      if (policies === undefined) {
        policies = new Map();
        this.byNamespace.set(namespace, policies);
      }
      policies.set(formatKey(keyOf(object)), { object, createdRevision });
      touched.add(namespace);
      kinds.add(object.kind);
    }
    for (const namespace of touched)
      this.generations.set(namespace, (this.generations.get(namespace) ?? 0) + 1);
    if (touched.size > 0) this.shared.clear();
    return kinds;
  }

  /** What holds for a workload. Quick for one that was asked for before. */
  policiesFor(workload: Workload): WorkloadPolicies {
    const generation = `${this.generations.get(this.rootNamespace)}|${this.generations.get(workload.namespace)}`;
    const answer = this.answers.get(workload);
    if (answer?.generation === generation) return answer.policies;
    const policies = this.share(this.collect(workload), answer?.policies);
    this.answers.set(workload, { generation, policies });
    return policies;
  }

  private collect(workload: Workload): Known[] {
    const namespaces = new Set([this.rootNamespace, workload.namespace]);
    return [...namespaces].flatMap((namespace) =>
      [...(this.byNamespace.get(namespace)?.entries() ?? [])]
        .filter(([, { object }]) => isFor(object, workload))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, known]) => known),
    );
  }

  private share(found: readonly Known[], previous: WorkloadPolicies | undefined): WorkloadPolicies {
    const key = found.map(({ object }) => formatKey(keyOf(object))).join(' ');
    const known = this.shared.get(key);
    if (known !== undefined) return known;
    const fresh = sorted(found, this.rootNamespace);
    const policies = previous !== undefined && isSame(previous, fresh) ? previous : fresh;
    this.shared.set(key, policies);
    return policies;
  }
}

function isSecurityPolicy(object: MeshObject): object is SecurityPolicy {
  const { kind } = object;
  return kind === 'AuthorizationPolicy' || kind === 'PeerAuthentication' || kind === 'RequestAuthentication';
}

function sorted(found: readonly Known[], rootNamespace: string): WorkloadPolicies {
  const byAge = found.toSorted((a, b) => a.createdRevision - b.createdRevision);
  const peer = byAge.map(({ object }) => object).filter((one) => one.kind === 'PeerAuthentication');
  return {
    authorization: found.map(({ object }) => object).filter((one) => one.kind === 'AuthorizationPolicy'),
    peer,
    mtls: peerModeOf(peer, rootNamespace),
    request: found.map(({ object }) => object).filter((one) => one.kind === 'RequestAuthentication'),
  };
}

function isSame(a: WorkloadPolicies, b: WorkloadPolicies): boolean {
  const lists = ['authorization', 'peer', 'request'] as const;
  return lists.every(
    (list) => a[list].length === b[list].length && a[list].every((object, at) => object === b[list][at]),
  );
}
