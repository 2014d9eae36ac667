// What becomes of a route at each of its parents (https://gateway-api.sigs.k8s.io/reference/spec/#routeparentstatus).
import {
  condition,
  controllerName,
  gatewayGroup,
  type Condition,
  type GatewayWorld,
  type KubernetesGateway,
  type Route,
} from './gateway-world.ts';
import { type Listener, supportedKinds } from './listener-kinds.ts';

export type ParentReference = NonNullable<Route['spec']['parentRefs']>[number];

export interface RouteParentStatus {
  readonly parentRef: ParentReference;
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

/** One for each parent that is Heddle's: Services, and Gateways of its classes. Others write those of their own. */
export function routeParents(route: Route, world: GatewayWorld): RouteParentStatus[] {
  const refs = resolvedRefs(route, world);
  return (route.spec.parentRefs ?? []).flatMap((parentRef): RouteParentStatus[] => {
    const accepted = acceptedBy(route, parentRef, world);
    return accepted === null ? [] : [{ parentRef, controllerName, conditions: [accepted, refs] }];
  });
}

/** Null where the parent is somebody else's. */
function acceptedBy(route: Route, parent: ParentReference, world: GatewayWorld): Condition | null {
  const { kind = 'Gateway', group = gatewayGroup, name } = parent;
  const namespace = parent.namespace ?? route.metadata.namespace;
  if (kind === 'Service' && group === '') {
    if (world.hasService(namespace, name)) return condition('Accepted', true, 'Accepted');
    return condition('Accepted', false, 'NoMatchingParent', `there is no Service ${namespace}/${name}`);
  }
  const gateway = kind === 'Gateway' && group === gatewayGroup ? world.gateway(namespace, name) : undefined;
  if (gateway === undefined) return null;
  const found = acceptingListeners(route, parent, gateway, world);
  return Array.isArray(found) ? condition('Accepted', true, 'Accepted') : (found as Condition);
}

/** The listeners that take a route, or why none does. */
export function acceptingListeners(
  route: Route,
  parent: ParentReference,
  gateway: KubernetesGateway,
  world: GatewayWorld,
): readonly Listener[] | Condition {
  const refuse = (reason: string, message: string): Condition =>
    condition('Accepted', false, reason, message);
  const named = gateway.spec.listeners.filter(
    ({ name, port }) =>
      (parent.sectionName === undefined || parent.sectionName === name) &&
      (parent.port === undefined || parent.port === port),
  );
  if (named.length === 0)
    return refuse('NoMatchingParent', 'the Gateway has no listener of that name and port');
  const allowed = named.filter(
    (listener) =>
      supportedKinds(listener).includes(route.kind) &&
      isNamespaceAllowed(listener, gateway.metadata.namespace, route.metadata.namespace, world),
  );
  if (allowed.length === 0)
    return refuse(
      'NotAllowedByListeners',
      `no listener allows ${route.kind}s of namespace ${route.metadata.namespace}`,
    );
  const hostnames = 'hostnames' in route.spec ? (route.spec.hostnames ?? []) : [];
  const intersecting = allowed.filter(
    ({ hostname }) =>
      hostname === undefined || hostnames.length === 0 || hostnames.some((host) => intersect(hostname, host)),
  );
  if (intersecting.length > 0) return intersecting;
  return refuse('NoMatchingListenerHostname', 'no listener has a hostname that one of the route matches');
}

function isNamespaceAllowed(listener: Listener, own: string, from: string, world: GatewayWorld): boolean {
  const { from: whose = 'Same', selector } = listener.allowedRoutes?.namespaces ?? {};
  if (whose === 'All') return true;
  if (whose === 'Same') return own === from;
  if (whose !== 'Selector' || selector === undefined) return false;
  const labels = world.labelsOf(from);
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === 'Exists') return value !== undefined;
      if (operator === 'DoesNotExist') return value === undefined;
      const isIn = value !== undefined && values.includes(value);
      return operator === 'In' ? isIn : !isIn;
    })
  );
}

/** Whether there is a name that both stand for; `*.` stands for one label or more. */
function intersect(a: string, b: string): boolean {
  if (a === b) return true;
  if (a.startsWith('*.') && b.startsWith('*.')) return a.endsWith(b.slice(1)) || b.endsWith(a.slice(1));
  if (a.startsWith('*.')) return b.endsWith(a.slice(1));
  return b.startsWith('*.') && a.endsWith(b.slice(1));
}

interface Backend {
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name: string;
}

function backendsOf(route: Route): Backend[] {
  const rules = (route.spec.rules ?? []) as readonly {
    backendRefs?: readonly (Backend & { filters?: readonly object[] })[];
    filters?: readonly { requestMirror?: { backendRef: Backend } }[];
  }[];
  return rules.flatMap(({ backendRefs = [], filters = [] }) =>
    (backendRefs as readonly Backend[]).concat(
      filters.flatMap(({ requestMirror }) => requestMirror?.backendRef ?? []),
    ),
  );
}

function resolvedRefs(route: Route, world: GatewayWorld): Condition {
  const from = { group: gatewayGroup, kind: route.kind, namespace: route.metadata.namespace };
  for (const { group = '', kind = 'Service', name, ...rest } of backendsOf(route)) {
    const namespace = rest.namespace ?? from.namespace;
    const place = `${kind} ${namespace}/${name}`;
    if (group !== '' || kind !== 'Service')
      return condition('ResolvedRefs', false, 'InvalidKind', `${place} is no Service`);
    if (!world.mayRefer(from, { group, kind, namespace, name }))
      return condition('ResolvedRefs', false, 'RefNotPermitted', `no ReferenceGrant allows ${place}`);
    if (!world.hasService(namespace, name))
      return condition('ResolvedRefs', false, 'BackendNotFound', `there is no ${place}`);
  }
  return condition('ResolvedRefs', true, 'ResolvedRefs');
}
