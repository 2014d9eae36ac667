/** What has become of an object, as conditions: in the words of Kubernetes' APIs, of Istio's and of the Gateway API's. */
import {
  type GatewayWorld,
  isKubernetesGateway,
  keyOf,
  kindOf,
  listenerStatuses,
  routeParents,
  type Condition,
  type MeshObject,
  type Route,
} from '@heddle/model';
import type { ApiProblem, ListenerStatus, RouteParentStatus, StatusCondition } from '../api/types.ts';

interface Conditions {
  readonly conditions: readonly StatusCondition[];
  readonly parents?: readonly RouteParentStatus[];
  readonly listeners?: readonly ListenerStatus[];
}

/** What an object's conditions depend on. */
export interface Circumstances {
  readonly generation: number;
  /** What is doubtful about it. */
  readonly findings: readonly Pick<ApiProblem, 'code' | 'message'>[];
  readonly proxies: { readonly acknowledged: number; readonly total: number };
  /** Called for objects of the Gateway API. */
  readonly world: () => GatewayWorld;
}

/** Codes of references that lead nowhere. */
const missing: ReadonlySet<string> = new Set(['IST0101', 'IST0173']);
const routeKinds: ReadonlySet<string> = new Set([
  'HTTPRoute',
  'GRPCRoute',
  'TLSRoute',
  'TCPRoute',
  'UDPRoute',
]);

/** The conditions of an object, and those of its parts. */
export function conditionsOf(object: MeshObject, circumstances: Circumstances): Conditions {
  const { generation, world } = circumstances;
  const at = (condition: Condition): StatusCondition => ({ ...condition, observedGeneration: generation });
  const all = <T extends { readonly conditions: readonly Condition[] }>(parts: readonly T[]) =>
    parts.map((part) => Object.assign({}, part, { conditions: part.conditions.map(at) }));
  const own = [accepted(object), ...resolved(object, circumstances), reconciled(object, circumstances)].map(
    at,
  );
  // Absent and undefined mean the same here; JSON has no undefined.
  if (isRoute(object))
    return { conditions: own, parents: all(routeParents(object, world())) as RouteParentStatus[] };
  if (!isKubernetesGateway(object)) return { conditions: own };
  const { namespace, name } = object.metadata;
  const listeners = world().gateway(namespace, name) === undefined ? [] : listenerStatuses(object, world());
  return { conditions: own, listeners: all(listeners) };
}

function isRoute(object: MeshObject): object is Route {
  return routeKinds.has(object.kind);
}

/** What is not valid is not stored. */
function accepted(_object: MeshObject): Condition {
  return { type: 'Accepted', status: 'True', reason: 'Accepted', message: '' };
}

/** Routes have it for each parent. */
function resolved(object: MeshObject, { findings }: Circumstances): Condition[] {
  if (isRoute(object) || isKubernetesGateway(object)) return [];
  const lost = findings.find(({ code }) => missing.has(code));
  const type = 'ResolvedRefs';
  return lost === undefined
    ? [{ type, status: 'True', reason: type, message: '' }]
    : [{ type, status: 'False', reason: 'RefNotFound', message: lost.message }];
}

/** Whether the proxies do what the object says. */
function reconciled(object: MeshObject, { proxies }: Circumstances): Condition {
  const type = isKubernetesGateway(object) ? 'Programmed' : 'Reconciled';
  const noEffect = kindOf(keyOf(object))?.noEffect ?? null;
  if (noEffect !== null) return { type, status: 'False', reason: 'NoEffect', message: noEffect };
  const { acknowledged, total } = proxies;
  const message = `${acknowledged} of the ${total} connected proxies that use it have confirmed it as it is`;
  if (acknowledged === total) return { type, status: 'True', reason: type, message };
  return { type, status: 'False', reason: 'Pending', message };
}
