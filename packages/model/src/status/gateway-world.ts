// Objects of the Gateway API as their statuses need them: who there is, and who may refer to whom.
import type { MeshObject, ObjectKind } from '../manifest/object.ts';

type Of<Kind extends ObjectKind> = Extract<MeshObject, { kind: Kind }>;
export type KubernetesGateway = Extract<
  MeshObject,
  { apiVersion: 'gateway.networking.k8s.io/v1'; kind: 'Gateway' }
>;
export type Route = Of<'HTTPRoute' | 'GRPCRoute' | 'TLSRoute' | 'TCPRoute' | 'UDPRoute'>;

/** A condition as Kubernetes' APIs have it. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** One word. */
  readonly reason: string;
  /** One sentence; empty where the reason says it all. */
  readonly message: string;
}

export function condition(type: string, status: boolean, reason: string, message = ''): Condition {
  return { type, status: status ? 'True' : 'False', reason, message };
}

/** Somebody who refers to something. */
export interface Reference {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export const gatewayGroup = 'gateway.networking.k8s.io';
/** How Heddle names itself in the statuses of others' objects. */
export const controllerName = 'heddle.dev/gateway-controller';
/** The class of Gateways that is Heddle's without a GatewayClass that says so. */
const ownClass = 'heddle';

const routeKinds: ReadonlySet<string> = new Set([
  'HTTPRoute',
  'GRPCRoute',
  'TLSRoute',
  'TCPRoute',
  'UDPRoute',
]);

export class GatewayWorld {
  readonly routes: readonly Route[];
  private readonly gateways = new Map<string, KubernetesGateway>();
  private readonly labels = new Map<string, Readonly<Record<string, string>>>();
  private readonly grants: readonly Of<'ReferenceGrant'>[];
  private readonly classes: ReadonlySet<string>;
  private readonly services: ReadonlySet<string>;
  /** Null where nobody knows which there are. */
  private readonly secrets: ReadonlySet<string> | null;

  /** `services` and `secrets` are known as `namespace/name`. */
  constructor(
    objects: Iterable<MeshObject>,
    services: Iterable<string>,
    secrets: Iterable<string> | null = null,
  ) {
    const all = [...objects];
    this.services = new Set([...services, ...all.filter(({ kind }) => kind === 'Service').map(nameOf)]);
    this.secrets = secrets === null ? null : new Set(secrets);
    this.routes = all.filter((object): object is Route => routeKinds.has(object.kind));
    this.grants = all.filter((object): object is Of<'ReferenceGrant'> => object.kind === 'ReferenceGrant');
    const classes = all.filter((object): object is Of<'GatewayClass'> => object.kind === 'GatewayClass');
    this.classes = new Set([
      ownClass,
      ...classes
        .filter(({ spec }) => spec.controllerName === controllerName)
        .map(({ metadata }) => metadata.name),
    ]);
    for (const object of all) {
      if (object.kind === 'Namespace') this.labels.set(object.metadata.name, object.metadata.labels ?? {});
      if (isKubernetesGateway(object)) this.gateways.set(nameOf(object), object);
    }
  }

  /** The Gateway of that name, where it is one of Heddle's. */
  gateway(namespace: string, name: string): KubernetesGateway | undefined {
    const found = this.gateways.get(`${namespace}/${name}`);
    return found !== undefined && this.classes.has(found.spec.gatewayClassName) ? found : undefined;
  }

  hasService(namespace: string, name: string): boolean {
    return this.services.has(`${namespace}/${name}`);
  }

  /** Whether a Secret may be taken to be there. */
  mayHaveSecret(namespace: string, name: string): boolean {
    return this.secrets === null || this.secrets.has(`${namespace}/${name}`);
  }

  /** Labels of a namespace, with the one that Kubernetes gives each. */
  labelsOf(namespace: string): Readonly<Record<string, string>> {
    return { 'kubernetes.io/metadata.name': namespace, ...this.labels.get(namespace) };
  }

  /** Whether `from` may refer to something: in its own namespace always, elsewhere by a ReferenceGrant there. */
  mayRefer(from: Omit<Reference, 'name'>, to: Reference): boolean {
    if (from.namespace === to.namespace) return true;
    return this.grants.some(
      ({ metadata, spec }) =>
        metadata.namespace === to.namespace &&
        spec.from.some(
          ({ group, kind, namespace }) =>
            group === from.group && kind === from.kind && namespace === from.namespace,
        ) &&
        spec.to.some(
          ({ group, kind, name }) =>
            group === to.group && kind === to.kind && (name === undefined || name === to.name),
        ),
    );
  }
}

export function isKubernetesGateway(object: MeshObject): object is KubernetesGateway {
  return object.kind === 'Gateway' && object.apiVersion.startsWith(gatewayGroup);
}

function nameOf({ metadata }: MeshObject): string {
  return `${metadata.namespace}/${metadata.name}`;
}
