import type { AuthorizationPolicySpec } from '../schema/authorization-policy.ts';
import type { DestinationRuleSpec } from '../schema/destination-rule.ts';
import type { EnvoyFilterSpec } from '../schema/envoy-filter.ts';
import type {
  GatewayClassSpec,
  KubernetesGatewaySpec,
  ListenerSetSpec,
} from '../schema/gateway-api/gateway.ts';
import type { HttpRouteSpec } from '../schema/gateway-api/http-route.ts';
import type { GrpcRouteSpec, StreamRouteSpec, TlsRouteSpec } from '../schema/gateway-api/other-routes.ts';
import type { BackendTlsPolicySpec, ReferenceGrantSpec } from '../schema/gateway-api/policies.ts';
import type { GatewaySpec } from '../schema/gateway.ts';
import type {
  AnyBody,
  ConfigMapBody,
  EndpointSliceBody,
  SecretBody,
  ServiceSpec,
  WorkloadSpec,
} from '../schema/kubernetes/core.ts';
import type { PeerAuthenticationSpec } from '../schema/peer-authentication.ts';
import type { ProxyConfigSpec } from '../schema/proxy-config.ts';
import type { RequestAuthenticationSpec } from '../schema/request-authentication.ts';
import type { ServiceEntrySpec } from '../schema/service-entry.ts';
import type { SidecarSpec } from '../schema/sidecar.ts';
import type { TelemetrySpec } from '../schema/telemetry.ts';
import type { VirtualServiceSpec } from '../schema/virtual-service.ts';
import type { TrafficExtensionSpec, WasmPluginSpec } from '../schema/wasm-plugin.ts';
import type { WorkloadEntrySpec } from '../schema/workload-entry.ts';
import type { WorkloadGroupSpec } from '../schema/workload-group.ts';

/** What is kept of Kubernetes' ObjectMeta: what people write. Server-side fields (uid, …) are dropped on the way in. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An object of one kind; `apiVersion` is always the storage version, whichever served version was written. */
interface ObjectOf<Version extends string, Kind extends string, Spec> {
  readonly apiVersion: Version;
  readonly kind: Kind;
  readonly metadata: ObjectMeta;
  /** What the object says. Kinds of Kubernetes that have no `spec` write these fields beside `metadata`. */
  readonly spec: Spec;
}

type Networking<Kind extends string, Spec> = ObjectOf<'networking.istio.io/v1', Kind, Spec>;
type Security<Kind extends string, Spec> = ObjectOf<'security.istio.io/v1', Kind, Spec>;
type Extension<Kind extends string, Spec> = ObjectOf<'extensions.istio.io/v1alpha1', Kind, Spec>;
type GatewayApi<Kind extends string, Spec> = ObjectOf<'gateway.networking.k8s.io/v1', Kind, Spec>;
type Core<Kind extends string, Spec> = ObjectOf<'v1', Kind, Spec>;
type App<Kind extends string> = ObjectOf<'apps/v1', Kind, WorkloadSpec>;

export type VirtualService = Networking<'VirtualService', VirtualServiceSpec>;
export type DestinationRule = Networking<'DestinationRule', DestinationRuleSpec>;

/** An object of a known kind that has passed validation. */
export type MeshObject =
  | VirtualService
  | DestinationRule
  | Networking<'Gateway', GatewaySpec>
  | Networking<'ServiceEntry', ServiceEntrySpec>
  | Networking<'Sidecar', SidecarSpec>
  | Networking<'WorkloadEntry', WorkloadEntrySpec>
  | Networking<'WorkloadGroup', WorkloadGroupSpec>
  | ObjectOf<'networking.istio.io/v1alpha3', 'EnvoyFilter', EnvoyFilterSpec>
  | ObjectOf<'networking.istio.io/v1beta1', 'ProxyConfig', ProxyConfigSpec>
  | Security<'PeerAuthentication', PeerAuthenticationSpec>
  | Security<'RequestAuthentication', RequestAuthenticationSpec>
  | Security<'AuthorizationPolicy', AuthorizationPolicySpec>
  | ObjectOf<'telemetry.istio.io/v1', 'Telemetry', TelemetrySpec>
  | Extension<'WasmPlugin', WasmPluginSpec>
  | Extension<'TrafficExtension', TrafficExtensionSpec>
  | GatewayApi<'GatewayClass', GatewayClassSpec>
  | GatewayApi<'Gateway', KubernetesGatewaySpec>
  | GatewayApi<'ListenerSet', ListenerSetSpec>
  | GatewayApi<'HTTPRoute', HttpRouteSpec>
  | GatewayApi<'GRPCRoute', GrpcRouteSpec>
  | GatewayApi<'TLSRoute', TlsRouteSpec>
  | GatewayApi<'TCPRoute', StreamRouteSpec>
  | GatewayApi<'UDPRoute', StreamRouteSpec>
  | GatewayApi<'ReferenceGrant', ReferenceGrantSpec>
  | GatewayApi<'BackendTLSPolicy', BackendTlsPolicySpec>
  | Core<'Namespace', AnyBody>
  | Core<'Service', ServiceSpec>
  | ObjectOf<'discovery.k8s.io/v1', 'EndpointSlice', EndpointSliceBody>
  | Core<'ServiceAccount', AnyBody>
  | Core<'ConfigMap', ConfigMapBody>
  | Core<'Secret', SecretBody>
  | Core<'Pod', AnyBody>
  | App<'Deployment'>
  | App<'StatefulSet'>
  | App<'DaemonSet'>
  | App<'ReplicaSet'>
  | ObjectOf<'batch/v1', 'Job', WorkloadSpec>;

export type ObjectKind = MeshObject['kind'];

type GroupOf<Version extends string> = Version extends `${infer Group}/${string}` ? Group : '';

export type ObjectGroup = GroupOf<MeshObject['apiVersion']>;

/** An object's identity: group, kind, namespace and name. */
export interface ObjectKey {
  readonly group: ObjectGroup;
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

/** The objects that rules for hosts come from. */
export function isHostRule(object: MeshObject): object is VirtualService | DestinationRule {
  return object.kind === 'VirtualService' || object.kind === 'DestinationRule';
}

/** The key of an object. */
export function keyOf(object: MeshObject): ObjectKey {
  const slash = object.apiVersion.indexOf('/');
  const group = (slash < 0 ? '' : object.apiVersion.slice(0, slash)) as ObjectGroup;
  return { group, kind: object.kind, namespace: object.metadata.namespace, name: object.metadata.name };
}

/** One string per key, for maps and messages: `VirtualService/default/reviews`; of two kinds of one name, the second's with its group. */
export function formatKey(key: ObjectKey): string {
  const group = key.kind === 'Gateway' && key.group !== 'networking.istio.io' ? `.${key.group}` : '';
  return `${key.kind}${group}/${key.namespace}/${key.name}`;
}
