// From HTTPRoutes and GRPCRoutes at a service to the ordered rules of one port.
import { formatKey, keyOf } from '../manifest/object.ts';
import { everything } from './compile-match.ts';
import { type GatewayContext, type GatewayRule, compileGatewayAction } from './gateway-action.ts';
import { compareMatches, grpcMatch, httpMatch } from './gateway-match.ts';
import type { AttachedRoute } from './gateway-routes.ts';
import { serviceHost } from './host-name.ts';
import type { RouteMatch, RouteRule } from './route-model.ts';

/** All rules of the routes, what is more specific first; of equals those of the older route. */
export function compileGatewayRules(routes: readonly AttachedRoute[], context: GatewayContext): RouteRule[] {
  const ordered = routes.toSorted(
    (a, b) =>
      a.createdRevision - b.createdRevision ||
      (formatKey(keyOf(a.object)) < formatKey(keyOf(b.object)) ? -1 : 1),
  );
  return ordered
    .flatMap((route) => rulesOf(route, context))
    .toSorted((a, b) => compareMatches(a.match, b.match));
}

function rulesOf({ object }: AttachedRoute, context: GatewayContext): RouteRule[] {
  const written: readonly (GatewayRule & { readonly name?: string | undefined })[] = object.spec.rules ?? [];
  return written.flatMap((rule, index) =>
    matchesOf(object, index).map(({ match, path }): RouteRule => {
      const { action, headers, cors } = compileGatewayAction(rule, object, match.path, context);
      const origin = { object: keyOf(object), path };
      const name = rule.name ?? '';
      return { name, match, sourceLabels: null, action, headers, fault: null, cors, statPrefix: '', origin };
    }),
  );
}

function matchesOf(
  object: AttachedRoute['object'],
  index: number,
): { readonly match: RouteMatch; readonly path: string }[] {
  const place = `spec.rules[${index}]`;
  const matches: readonly (RouteMatch | null)[] =
    object.kind === 'HTTPRoute'
      ? (object.spec.rules?.[index]?.matches ?? []).map(httpMatch)
      : (object.spec.rules?.[index]?.matches ?? []).map(grpcMatch);
  if (matches.length === 0) return [{ match: everything, path: place }];
  return matches.flatMap((match, position) =>
    match === null ? [] : [{ match, path: `${place}.matches[${position}]` }],
  );
}

/** The hosts of the services that a route speaks of: what they are decides what is made of it. */
export function backendHosts({ object }: AttachedRoute, domain: string): string[] {
  const hosts: string[] = [];
  const written: readonly GatewayRule[] = object.spec.rules ?? [];
  for (const { backendRefs = [], filters = [] } of written) {
    const mirrors = filters.flatMap(({ requestMirror }) => requestMirror?.backendRef ?? []);
    for (const { name, namespace } of [...backendRefs, ...mirrors])
      hosts.push(serviceHost(name, namespace ?? object.metadata.namespace, domain));
  }
  return hosts;
}
