/** Routes as gRPC's clients take them: what they know no part of would have the whole configuration refused. */
import { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import {
  RetryPolicy,
  Route,
  RouteAction,
  RouteMatch,
  VirtualHost,
  type WeightedCluster,
} from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import type { Translated } from './clusters.ts';
import { FieldNumber, putField } from './fields.ts';

/** Conditions of `retry_on` that gRPC knows. Connections that can't be made it tries again by itself. */
const retried: ReadonlySet<string> = new Set([
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
]);

export function grpcRoutes(encoded: Uint8Array): Translated {
  const { name, virtualHosts } = RouteConfiguration.decode(encoded);
  const withheld = new Set<string>();
  const result = RouteConfiguration.fromPartial({ name });
  result.virtualHosts = virtualHosts.map((host) => translateHost(host, withheld));
  return { message: RouteConfiguration.encode(result).finish(), withheld: [...withheld].sort() };
}

function translateHost(host: VirtualHost, withheld: Set<string>): VirtualHost {
  noteExtras(host, withheld);
  const result = VirtualHost.fromPartial({ name: host.name, domains: host.domains });
  result.retryPolicy = translateRetries(host.retryPolicy);
  result.routes = host.routes.flatMap((route) => translateRoute(route, withheld));
  return result;
}

/** What may stand at a virtual host, a route or a weighted cluster, and changes what goes over the wire. */
type Extras = Pick<
  Route,
  | 'requestHeadersToAdd'
  | 'requestHeadersToRemove'
  | 'responseHeadersToAdd'
  | 'responseHeadersToRemove'
  | 'typedPerFilterConfig'
>;

function noteExtras(extras: Extras, withheld: Set<string>): void {
  const changes = [
    ...[extras.requestHeadersToAdd, extras.responseHeadersToAdd],
    ...[extras.requestHeadersToRemove, extras.responseHeadersToRemove],
  ];
  if (changes.some(({ length }) => length > 0)) withheld.add('changes of headers');
  if (Object.keys(extras.typedPerFilterConfig).length > 0) withheld.add('filters of routes');
}

/** None for a route that no call matches, two where one match is two for gRPC. */
function translateRoute(route: Route, withheld: Set<string>): Route[] {
  const matches = route.match === undefined ? [] : translateMatch(route.match, withheld);
  if (matches.length === 0) return [];
  noteExtras(route, withheld);
  return matches.map((match) => {
    const result = Route.fromPartial({ name: route.name });
    result.match = match;
    const action = route.action?.$case === 'route' ? translateAction(route.action.value, withheld) : null;
    if (action !== null) {
      result.action = { $case: 'route', value: action };
      return result;
    }
    if (route.action?.$case === 'redirect') withheld.add('redirects');
    else if (route.action?.$case === 'directResponse') withheld.add('responses of the proxy itself');
    // Calls that it matches fail. Without it they would go where the next route leads.
    putField(result, FieldNumber.nonForwardingAction, new Uint8Array(0));
    return result;
  });
}

function translateMatch(match: RouteMatch, withheld: Set<string>): RouteMatch[] {
  // Calls have no query.
  if (match.queryParameters.length > 0) return [];
  const result = RouteMatch.fromPartial({});
  result.caseSensitive = match.caseSensitive;
  result.runtimeFraction = match.runtimeFraction;
  for (const header of match.headers) {
    if (!header.name.startsWith(':')) {
      result.headers.push(header);
      continue;
    }
    const pattern = header.headerMatchSpecifier;
    const text = pattern?.$case === 'stringMatch' ? pattern.value.matchPattern : undefined;
    // All calls are POST.
    const isPost = header.name === ':method' && text?.$case === 'exact' && text.value === 'POST';
    if (isPost && !header.invertMatch) continue;
    if (header.name !== ':method') withheld.add(`matches of ${header.name}`);
    return [];
  }
  const path = match.pathSpecifier;
  if (path === undefined || path.$case === 'connectMatcher') return [];
  if (path.$case !== 'pathSeparatedPrefix') return [{ ...result, pathSpecifier: path }];
  return [
    { ...result, pathSpecifier: { $case: 'path', value: path.value } },
    { ...result, pathSpecifier: { $case: 'prefix', value: `${path.value}/` } },
  ];
}

/** Null where it leads nowhere. */
function translateAction(action: RouteAction, withheld: Set<string>): RouteAction | null {
  const result = RouteAction.fromPartial({});
  const specifier = action.clusterSpecifier;
  if (specifier?.$case === 'cluster') result.clusterSpecifier = specifier;
  else if (specifier?.$case === 'weightedClusters') {
    for (const cluster of specifier.value.clusters) noteExtras(cluster, withheld);
    const clusters = specifier.value.clusters.map(({ name, weight }) => ({ name, weight }));
    if (sumOfWeights(specifier.value.clusters) === 0) return null;
    const weighted = { clusterSpecifier: { $case: 'weightedClusters' as const, value: { clusters } } };
    result.clusterSpecifier = RouteAction.fromPartial(weighted).clusterSpecifier;
  } else {
    withheld.add('clusters named by a header');
    return null;
  }
  result.retryPolicy = translateRetries(action.retryPolicy);
  const { timeout } = action;
  const hasTimeout = timeout !== undefined && (timeout.seconds > 0 || timeout.nanos > 0);
  // gRPC does not look at a route's time limit, but at this one, which means the same to it.
  result.maxStreamDuration = hasTimeout
    ? RouteAction.fromPartial({ maxStreamDuration: { maxStreamDuration: timeout } }).maxStreamDuration
    : action.maxStreamDuration;
  if (action.requestMirrorPolicies.length > 0) withheld.add('mirroring');
  const { prefixRewrite, regexRewrite, hostRewriteSpecifier } = action;
  if (prefixRewrite !== '' || regexRewrite !== undefined || hostRewriteSpecifier !== undefined)
    withheld.add('rewriting');
  return result;
}

function sumOfWeights(clusters: WeightedCluster['clusters']): number {
  return clusters.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
}

/** Undefined where nothing is left to be tried again. */
function translateRetries(policy: RetryPolicy | undefined): RetryPolicy | undefined {
  const conditions = (policy?.retryOn ?? '')
    .split(',')
    .map((condition) => condition.trim())
    .filter((condition) => retried.has(condition));
  if (policy === undefined || conditions.length === 0) return undefined;
  const result = RetryPolicy.fromPartial({
    retryOn: conditions.join(','),
    numRetries: policy.numRetries ?? 1,
  });
  if (policy.retryBackOff?.baseInterval !== undefined) result.retryBackOff = policy.retryBackOff;
  return result;
}
