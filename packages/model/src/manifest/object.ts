import type { DestinationRuleSpec } from '../schema/destination-rule.ts';
import type { VirtualServiceSpec } from '../schema/virtual-service.ts';

/** What is kept of Kubernetes' ObjectMeta: what people write. Server-side fields (uid, …) are dropped on the way in. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface VirtualService {
  /** Always the storage version, whichever served version was written. */
  readonly apiVersion: 'networking.istio.io/v1';
  readonly kind: 'VirtualService';
  readonly metadata: ObjectMeta;
  readonly spec: VirtualServiceSpec;
}

export interface DestinationRule {
  /** Always the storage version, whichever served version was written. */
  readonly apiVersion: 'networking.istio.io/v1';
  readonly kind: 'DestinationRule';
  readonly metadata: ObjectMeta;
  readonly spec: DestinationRuleSpec;
}

/** An object of a supported kind that has passed validation. */
export type MeshObject = VirtualService | DestinationRule;
export type ObjectKind = MeshObject['kind'];

/** An object's identity: kind, namespace and name. */
export interface ObjectKey {
  readonly kind: ObjectKind;
  readonly namespace: string;
  readonly name: string;
}

/** An object as the store holds it. */
export interface StoredObject {
  readonly object: MeshObject;
  /** The store's revision at which the object was created: the age that decides between conflicting objects. */
  readonly createdRevision: number;
}

/** The key of an object. */
export function keyOf(object: MeshObject): ObjectKey {
  return { kind: object.kind, namespace: object.metadata.namespace, name: object.metadata.name };
}

/** One string per key, for maps: `VirtualService/default/reviews`. */
export function formatKey(key: ObjectKey): string {
  return `${key.kind}/${key.namespace}/${key.name}`;
}
