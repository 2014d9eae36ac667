// All objects of a mesh as analyzers look things up in them: by kind, by host, by labels.
import { type MeshObject, type ObjectKey, type ObjectKind, keyOf } from '../manifest/object.ts';
import { expandHost } from '../mesh/host-name.ts';
import type { Analyzer, Finding } from './finding.ts';

/** Labels as objects write them. */
export type Labels = Readonly<Record<string, string>>;

/** What runs: a Pod, or what makes Pods. */
export interface Workload {
  readonly key: ObjectKey;
  readonly labels: Labels;
  readonly annotations: Labels;
}

/** An object of one kind. Istio's Gateway is the one that is meant by its name. */
export type ObjectOfKind<Kind extends ObjectKind> = Exclude<
  Extract<MeshObject, { kind: Kind }>,
  { apiVersion: 'gateway.networking.k8s.io/v1'; kind: 'Gateway' }
>;

/** Whether a workload has all labels of a selector. */
export function isSelected(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

export class World {
  readonly domain: string;
  readonly workloads: readonly Workload[];
  /** Settings of the mesh, as they are written; empty where there are none. */
  readonly meshConfig: Readonly<Record<string, unknown>>;
  readonly #byKind: ReadonlyMap<string, readonly MeshObject[]>;

  constructor(
    objects: readonly MeshObject[],
    domain: string,
    meshConfig: Readonly<Record<string, unknown>> = {},
  ) {
    this.domain = domain;
    this.meshConfig = meshConfig;
    this.#byKind = Map.groupBy(
      objects.filter(({ kind, apiVersion }) => kind !== 'Gateway' || apiVersion.startsWith('networking.')),
      ({ kind }) => kind,
    );
    this.workloads = objects.flatMap(workloadsOf);
  }

  all<Kind extends ObjectKind>(kind: Kind): readonly ObjectOfKind<Kind>[] {
    return (this.#byKind.get(kind) ?? []) as readonly ObjectOfKind<Kind>[];
  }

  /** Workloads of a namespace, or of all, that have the labels. */
  selected(selector: Labels, namespace?: string): readonly Workload[] {
    return this.workloads.filter(
      ({ key, labels }) =>
        (namespace === undefined || key.namespace === namespace) && isSelected(selector, labels),
    );
  }

  /** A host that an object names, in full. */
  hostOf(host: string, { metadata }: MeshObject): string {
    return expandHost(host, metadata.namespace, this.domain);
  }
}

function workloadsOf(object: MeshObject): Workload[] {
  const key = keyOf(object);
  switch (object.kind) {
    case 'Pod':
      return [{ key, labels: object.metadata.labels ?? {}, annotations: object.metadata.annotations ?? {} }];
    case 'Deployment':
    case 'StatefulSet':
    case 'DaemonSet':
    case 'ReplicaSet':
    case 'Job': {
      const metadata = object.spec.template?.metadata;
      return [{ key, labels: metadata?.labels ?? {}, annotations: metadata?.annotations ?? {} }];
    }
    default:
      return [];
  }
}

/** What all findings of one sort share. */
export interface FindingKind {
  readonly analyzer: Analyzer;
  readonly code: string;
  readonly name: string;
  readonly level: Finding['level'];
}

export function finding(
  kind: FindingKind,
  object: MeshObject,
  path: string,
  message: string,
  hint?: string,
): Finding {
  return { object: keyOf(object), ...kind, message, path, ...(hint === undefined ? {} : { hint }) };
}

/** Names for a message: `a, b and c`. */
export function listOf(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)!}`;
}
