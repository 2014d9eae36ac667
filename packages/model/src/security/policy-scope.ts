// Which workloads a policy is for.
import type { MeshObject } from '../manifest/object.ts';

/** A workload, as it says of itself where it joins the mesh. Kept by identity: one object per workload. */
export interface Workload {
  readonly namespace: string;
  /** Of which it is an instance; empty for none. */
  readonly service: string;
  readonly labels: Readonly<Record<string, string>>;
}

interface TargetReference {
  readonly group?: string | undefined;
  readonly kind: string;
  readonly name: string;
}

interface Scope {
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> | undefined } | undefined;
  readonly targetRef?: TargetReference | undefined;
  readonly targetRefs?: readonly TargetReference[] | undefined;
}

/** What a policy is attached to; empty where labels choose its workloads. */
export function targetsOf({ targetRef, targetRefs }: Scope): readonly TargetReference[] {
  return targetRef === undefined ? (targetRefs ?? []) : [targetRef];
}

/** Services are what sidecars can be targets by: those of their instances. */
export function isServiceTarget({ group = '', kind }: TargetReference): boolean {
  return kind === 'Service' && (group === '' || group === 'core');
}

/**
 * Whether a policy is for a workload, which has the policy's namespace unless that is the root namespace. A selector without
 * labels chooses all; one in the root namespace those of all namespaces.
 */
export function isFor(object: MeshObject, { namespace, service, labels }: Workload): boolean {
  const scope = object.spec as Scope;
  const targets = targetsOf(scope);
  if (targets.length > 0) {
    if (object.metadata.namespace !== namespace || service === '') return false;
    return targets.some((target) => isServiceTarget(target) && target.name === service);
  }
  return Object.entries(scope.selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
}
