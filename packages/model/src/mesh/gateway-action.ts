// What HTTPRoutes and GRPCRoutes do with requests.
import type { HttpRouteSpec } from '../schema/gateway-api/http-route.ts';
import { type ActionContext, wholeMs } from './compile-action.ts';
import { isAuthority, isChangeable } from './compile-header-changes.ts';
import { type GatewayRoute, type ReferenceGrants } from './gateway-routes.ts';
import { serviceHost } from './host-name.ts';
import type {
  CorsRule,
  ForwardAction,
  HeaderChanges,
  HeaderOperations,
  Mirror,
  PathMatch,
  PathRewrite,
  RetryRule,
  RouteAction,
  WeightedDestination,
} from './route-model.ts';

export interface GatewayContext extends ActionContext {
  readonly domain: string;
  readonly grants: ReferenceGrants;
}

type HttpRouteRule = NonNullable<HttpRouteSpec['rules']>[number];
type Filter = NonNullable<HttpRouteRule['filters']>[number];
type Backend = NonNullable<HttpRouteRule['backendRefs']>[number];
type Reference = Pick<Backend, 'group' | 'kind' | 'namespace' | 'name' | 'port'>;
/** A rule of either kind: those of GRPCRoutes say less. */
export type GatewayRule = Pick<HttpRouteRule, 'backendRefs' | 'filters' | 'timeouts' | 'retry'>;

/** What the API wants where a rule can't be followed. */
const broken: RouteAction = { kind: 'direct-response', status: 500, body: null };

/** Compiles the action of a rule for requests that match `path`. */
export function compileGatewayAction(
  rule: GatewayRule,
  route: GatewayRoute,
  path: PathMatch | null,
  context: GatewayContext,
): { readonly action: RouteAction; readonly headers: HeaderChanges | null; readonly cors: CorsRule | null } {
  const filters = rule.filters ?? [];
  const headers = headerChanges(filters);
  const cors = corsRule(filters.find(({ type }) => type === 'CORS')?.cors);
  // A filter that is left out would let requests pass that it is there for.
  const isUnknown = filters.some(({ type }) => type === 'ExtensionRef' || type === 'ExternalAuth');
  if (isUnknown) return { action: broken, headers: null, cors: null };
  const redirect = filters.find(({ type }) => type === 'RequestRedirect')?.requestRedirect;
  if (redirect !== undefined) return { action: redirectAction(redirect, path, context.port), headers, cors };
  return { action: forwardAction(rule, filters, route, path, context) ?? broken, headers, cors };
}

function redirectAction(
  redirect: NonNullable<Filter['requestRedirect']>,
  path: PathMatch | null,
  requestPort: number,
): RouteAction {
  const { scheme = null, hostname = null, port, statusCode = 302 } = redirect;
  const isUsual = requestPort === 80 || requestPort === 443;
  const ownPort = scheme === null && !isUsual ? requestPort : null;
  return {
    kind: 'redirect',
    status: statusCode,
    scheme,
    host: hostname,
    port: port ?? ownPort,
    path: rewritten(redirect.path, path),
  };
}

/** Null where there is nobody to send requests to. */
function forwardAction(
  rule: GatewayRule,
  filters: readonly Filter[],
  route: GatewayRoute,
  path: PathMatch | null,
  context: GatewayContext,
): ForwardAction | null {
  const backends = (rule.backendRefs ?? []).filter(({ weight }) => weight !== 0);
  const destinations = backends.map((backend) => destinationOf(backend, route, context));
  if (destinations.every(({ host }) => host === '')) return null;
  const rewrite = filters.find(({ type }) => type === 'URLRewrite')?.urlRewrite;
  return {
    kind: 'forward',
    destinations,
    timeoutMs: wholeMs(rule.timeouts?.request),
    retries: retryRule(rule),
    path: rewritten(rewrite?.path, path),
    authority: rewrite?.hostname ?? null,
    mirrors: filters.flatMap(({ requestMirror }) => mirrorOf(requestMirror, route, context)),
  };
}

function destinationOf(backend: Backend, route: GatewayRoute, context: GatewayContext): WeightedDestination {
  const filters = (backend.filters ?? []) as readonly Filter[];
  const isKnown = filters.every(({ type }) => type.endsWith('HeaderModifier'));
  const host = isKnown ? hostOf(backend, route, context) : '';
  const headers = headerChanges(filters);
  return { host, port: backend.port ?? 0, subset: '', weight: backend.weight ?? 1, headers, authority: null };
}

/** The host of a service that a route may send requests to; '' where there is none. */
function hostOf(
  { group, kind, namespace, name, port }: Reference,
  route: GatewayRoute,
  context: GatewayContext,
): string {
  if ((group ?? '') !== '' || (kind ?? 'Service') !== 'Service') return '';
  const home = namespace ?? route.metadata.namespace;
  if (!context.grants.allows(route, home, name)) return '';
  const host = serviceHost(name, home, context.domain);
  const service = context.services.get(host);
  return service?.ports.some(({ number }) => number === port) === true ? host : '';
}

function mirrorOf(mirror: Filter['requestMirror'], route: GatewayRoute, context: GatewayContext): Mirror[] {
  if (mirror === undefined) return [];
  const host = hostOf(mirror.backendRef, route, context);
  const { numerator = 100, denominator = 100 } = mirror.fraction ?? {};
  const percent = mirror.percent ?? Math.min(100, (100 * numerator) / denominator);
  if (host === '' || percent === 0) return [];
  return [{ destination: { host, port: mirror.backendRef.port ?? 0, subset: '' }, percent }];
}

/** A prefix is one of whole segments: what replaces it is, too. */
function rewritten(
  modifier: NonNullable<Filter['urlRewrite']>['path'],
  matched: PathMatch | null,
): PathRewrite | null {
  if (modifier === undefined) return null;
  if (modifier.type === 'ReplaceFullPath') return { kind: 'full', value: modifier.replaceFullPath || '/' };
  const prefix = matched === null ? '/' : matched.value;
  const replacement = (modifier.replacePrefixMatch ?? '').replace(/\/+$/, '');
  if (prefix !== '/' && replacement !== '') return { kind: 'replace', value: replacement };
  const escaped = prefix === '/' ? '' : prefix.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const substitution = `${replacement.replaceAll('\\', '\\\\')}/\\1`;
  return { kind: 'regex', pattern: `^${escaped}/?(.*)`, substitution };
}

/** Where a try has a time of its own, the mesh's retries go on. */
function retryRule({ retry, timeouts }: GatewayRule): RetryRule | null {
  const perTryTimeoutMs = wholeMs(timeouts?.backendRequest);
  if (retry === undefined && perTryTimeoutMs === 0) return null;
  const statusCodes = retry?.codes ?? [];
  const conditions = 'connect-failure,refused-stream,unavailable,cancelled';
  return {
    attempts: Math.max(0, retry?.attempts ?? 2),
    retryOn:
      retry === undefined
        ? 'connect-failure'
        : conditions + (statusCodes.length === 0 ? '' : ',retriable-status-codes'),
    statusCodes,
    perTryTimeoutMs,
    backoffMs: wholeMs(retry?.backoff),
    avoidsPreviousHosts: retry !== undefined,
  };
}

function headerChanges(filters: readonly Filter[]): HeaderChanges | null {
  const request = operations(
    filters.find(({ type }) => type === 'RequestHeaderModifier')?.requestHeaderModifier,
  );
  const response = operations(
    filters.find(({ type }) => type === 'ResponseHeaderModifier')?.responseHeaderModifier,
  );
  return request === null && response === null ? null : { request, response };
}

function operations(modifier: Filter['requestHeaderModifier']): HeaderOperations | null {
  if (modifier === undefined) return null;
  const literal = (values: typeof modifier.set): [string, string][] =>
    (values ?? [])
      .filter(({ name }) => isChangeable(name) && !isAuthority(name))
      .map(({ name, value }) => [name, value.replaceAll('%', '%%')]);
  return {
    set: literal(modifier.set),
    add: literal(modifier.add),
    remove: (modifier.remove ?? []).filter(isChangeable),
  };
}

function corsRule(cors: Filter['cors']): CorsRule | null {
  if (cors === undefined) return null;
  return {
    origins: (cors.allowOrigins ?? []).map((origin) => originMatch(origin)),
    allowMethods: cors.allowMethods ?? [],
    allowHeaders: cors.allowHeaders ?? [],
    exposeHeaders: cors.exposeHeaders ?? [],
    maxAgeSeconds: cors.maxAge ?? 5,
    allowsCredentials: cors.allowCredentials ?? false,
    forwardsOthers: false,
  };
}

/** `*` stands for any text. */
function originMatch(origin: string): CorsRule['origins'][number] {
  if (!origin.includes('*')) return { kind: 'exact', value: origin };
  const parts = origin.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return { kind: 'regex', value: parts.join('.*') };
}
