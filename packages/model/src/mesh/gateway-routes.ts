// HTTPRoutes and GRPCRoutes that are attached to Services: which of them hold where, and whom they may send requests to.
import type { MeshObject, StoredObject } from '../manifest/object.ts';
import { serviceHost } from './host-name.ts';

export type GatewayRoute = Extract<MeshObject, { kind: 'HTTPRoute' | 'GRPCRoute' }>;
type ReferenceGrant = Extract<MeshObject, { kind: 'ReferenceGrant' }>;

/** A route at a host. */
export interface AttachedRoute {
  readonly object: GatewayRoute;
  readonly createdRevision: number;
  /** The ports that it is attached to; null for all. */
  readonly ports: readonly number[] | null;
}

export function isGatewayRoute(object: MeshObject): object is GatewayRoute {
  return object.kind === 'HTTPRoute' || object.kind === 'GRPCRoute';
}

/** The hosts of the Services that a route is attached to. */
export function parentHosts(object: GatewayRoute, domain: string): string[] {
  return [...new Set(serviceParents(object).map((parent) => hostOfParent(parent, object, domain)))];
}

/** How a route is attached to a host; null where it isn't. */
export function attachment(
  { object, createdRevision }: StoredObject,
  host: string,
  domain: string,
): AttachedRoute | null {
  if (!isGatewayRoute(object)) return null;
  const parents = serviceParents(object).filter((parent) => hostOfParent(parent, object, domain) === host);
  if (parents.length === 0) return null;
  const ports = parents.map(({ port }) => port);
  const isForAll = ports.includes(undefined);
  return { object, createdRevision, ports: isForAll ? null : ports.filter((port) => port !== undefined) };
}

type Parent = NonNullable<GatewayRoute['spec']['parentRefs']>[number];

function serviceParents({ spec }: GatewayRoute): Parent[] {
  return (spec.parentRefs ?? []).filter(({ kind, group }) => kind === 'Service' && (group ?? '') === '');
}

function hostOfParent({ name, namespace }: Parent, object: GatewayRoute, domain: string): string {
  return serviceHost(name, namespace ?? object.metadata.namespace, domain);
}

/**
 * The routes that hold for clients of a namespace at one port: those that the namespace has for itself, else those of the
 * service's own namespace, which are for everybody.
 */
export function routesFor(
  routes: readonly AttachedRoute[],
  clientNamespace: string,
  serviceNamespace: string | undefined,
  port: number,
): AttachedRoute[] {
  const here = routes.filter(({ ports }) => ports === null || ports.includes(port));
  const from = (namespace: string | undefined): AttachedRoute[] =>
    here.filter(({ object }) => object.metadata.namespace === namespace);
  const own = from(clientNamespace);
  return own.length > 0 ? own : from(serviceNamespace);
}

/** What allows routes of one namespace to send requests to services of another. */
export class ReferenceGrants {
  readonly #byNamespace = new Map<string, Set<ReferenceGrant>>();

  set(grant: ReferenceGrant): void {
    const known = this.#byNamespace.get(grant.metadata.namespace);
    if (known === undefined) this.#byNamespace.set(grant.metadata.namespace, new Set([grant]));
    else known.add(grant);
  }

  delete(grant: ReferenceGrant): void {
    this.#byNamespace.get(grant.metadata.namespace)?.delete(grant);
  }

  /** Whether a route may refer to a service; always in its own namespace. */
  allows(route: GatewayRoute, namespace: string, service: string): boolean {
    const from = route.metadata.namespace;
    if (from === namespace) return true;
    return [...(this.#byNamespace.get(namespace) ?? [])].some(
      ({ spec }) =>
        spec.from.some(
          (one) =>
            one.group === 'gateway.networking.k8s.io' && one.kind === route.kind && one.namespace === from,
        ) &&
        spec.to.some(
          (one) =>
            one.group === '' && one.kind === 'Service' && (one.name === undefined || one.name === service),
        ),
    );
  }
}
