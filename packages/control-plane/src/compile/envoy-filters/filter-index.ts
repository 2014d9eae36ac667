/** EnvoyFilters by the workloads that they are for. */
import { defaultRootNamespace, formatKey, keyOf, type MeshObject, type ObjectKey } from '@heddle/model';
import type { SidecarNode } from '../node-metadata.ts';

type EnvoyFilter = Extract<MeshObject, { readonly kind: 'EnvoyFilter' }>;

/** One patch, of the kind that the schema says. */
export type ConfigPatch = NonNullable<EnvoyFilter['spec']['configPatches']>[number];

interface Known {
  readonly object: EnvoyFilter;
  readonly createdRevision: number;
}

/** What changed, as the mesh compiler takes it. */
export interface FilterChange {
  readonly deletedObjects?: readonly ObjectKey[];
  readonly objects?: readonly { readonly object: MeshObject; readonly createdRevision: number }[];
}

export class EnvoyFilterIndex {
  private readonly filters = new Map<string, Known>();

  /** Takes a change in; says whether it was about any. */
  apply({ deletedObjects = [], objects = [] }: FilterChange): boolean {
    let isAbout = false;
    for (const key of deletedObjects) if (this.filters.delete(formatKey(key))) isAbout = true;
    for (const { object, createdRevision } of objects) {
      if (object.kind !== 'EnvoyFilter') continue;
      this.filters.set(formatKey(keyOf(object)), { object, createdRevision });
      isAbout = true;
    }
    return isAbout;
  }

  /** As in Istio: the root namespace's before the workload's, then by priority, by age, by name. */
  patchesFor({ namespace, labels }: Pick<SidecarNode, 'namespace' | 'labels'>): ConfigPatch[] {
    return [...this.filters.values()]
      .filter(({ object }) => {
        const { namespace: home } = object.metadata;
        const { workloadSelector, targetRefs } = object.spec;
        // What refers to gateways and waypoints is not for workloads.
        if (targetRefs !== undefined || (home !== namespace && home !== defaultRootNamespace)) return false;
        const wanted = Object.entries(workloadSelector?.labels ?? {});
        return wanted.every(([name, value]) => labels[name] === value);
      })
      .sort((a, b) => compare(a, b))
      .flatMap(({ object }) => object.spec.configPatches ?? []);
  }
}

function compare(a: Known, b: Known): number {
  const [first, second] = [a.object, b.object];
  return (
    Number(second.metadata.namespace === defaultRootNamespace) -
      Number(first.metadata.namespace === defaultRootNamespace) ||
    (first.spec.priority ?? 0) - (second.spec.priority ?? 0) ||
    a.createdRevision - b.createdRevision ||
    (first.metadata.name < second.metadata.name ? -1 : 1)
  );
}
