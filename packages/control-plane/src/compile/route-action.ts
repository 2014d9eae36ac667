/** What becomes of a route's requests: from the model's actions to Envoy's. */
import { assertNever } from '@heddle/base';
import {
  clusterName,
  type DirectResponseAction,
  type ForwardAction,
  type Mirror,
  type PathRewrite,
  type RedirectAction as ModelRedirect,
  type RetryRule,
  type RouteAction as ModelAction,
  type WeightedDestination,
} from '@heddle/model';
import { type DeepPartial, packAny, TypeUrl } from '@heddle/xds';
import type { DataSource } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import {
  RedirectAction_RedirectResponseCode as RedirectCode,
  RouteAction_ClusterNotFoundResponseCode as NotFoundCode,
  type RedirectAction,
  type RetryPolicy,
  type Route,
  type RouteAction,
  type RouteAction_RequestMirrorPolicy,
  type WeightedCluster_ClusterWeight,
} from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { FractionalPercent_DenominatorType as Denominator } from '@heddle/xds/api/envoy/type/v3/percent.ts';
import { headerLists } from './route-headers.ts';

/** The cluster of backends that cannot be used: no proxy has it. */
const nowhere = 'UnknownService';

/** Istio's numbers for looking for an endpoint that was not tried yet. */
const morePicks = 5;

type Action = NonNullable<DeepPartial<Route>['action']>;

export function compileAction(action: ModelAction): Action {
  switch (action.kind) {
    case 'forward':
      return { $case: 'route', value: forward(action) };
    case 'redirect':
      return { $case: 'redirect', value: redirect(action) };
    case 'direct-response':
      return { $case: 'directResponse', value: { status: action.status, body: bodyOf(action) } };
    default:
      return assertNever(action);
  }
}

/** A number of milliseconds as protobuf has it. */
export function duration(milliseconds: number): { readonly seconds: number; readonly nanos: number } {
  return { seconds: Math.floor(milliseconds / 1000), nanos: Math.round((milliseconds % 1000) * 1e6) };
}

/** A share of requests, exact to a ten-thousandth of a per cent. */
export function fraction(percent: number): { numerator: number; denominator: typeof Denominator.MILLION } {
  return { numerator: Math.round(percent * 10_000), denominator: Denominator.MILLION };
}

function forward(action: ForwardAction): DeepPartial<RouteAction> {
  const { destinations, path, authority, retries, mirrors } = action;
  const [only] = destinations;
  const isPlain = destinations.length === 1 && only?.headers === null && only.authority === null;
  return {
    clusterSpecifier: isPlain
      ? { $case: 'cluster', value: clusterOf(only) }
      : { $case: 'weightedClusters', value: { clusters: destinations.map(weighted) } },
    ...(destinations.some(({ host }) => host === '')
      ? { clusterNotFoundResponseCode: NotFoundCode.INTERNAL_SERVER_ERROR }
      : {}),
    timeout: duration(action.timeoutMs),
    ...(path?.kind === 'replace' ? { prefixRewrite: path.value } : {}),
    ...(path?.kind === 'full' ? { regexRewrite: wholePath(path.value) } : {}),
    ...(path?.kind === 'regex'
      ? { regexRewrite: { pattern: { regex: path.pattern }, substitution: path.substitution } }
      : {}),
    ...(authority === null
      ? {}
      : { hostRewriteSpecifier: { $case: 'hostRewriteLiteral', value: authority } }),
    ...(retries === null ? {} : { retryPolicy: retryPolicy(retries) }),
    requestMirrorPolicies: mirrors.map(mirror),
  };
}

/** The path, whatever it is, becomes another; backslashes would name groups. */
function wholePath(path: string): NonNullable<DeepPartial<RouteAction>['regexRewrite']> {
  return { pattern: { regex: '.*' }, substitution: path.replaceAll('\\', '\\\\') };
}

function clusterOf({ host, port, subset }: Mirror['destination']): string {
  return host === '' ? nowhere : clusterName(port, subset, host);
}

function weighted(destination: WeightedDestination): DeepPartial<WeightedCluster_ClusterWeight> {
  const { weight, headers, authority } = destination;
  return {
    name: clusterOf(destination),
    weight,
    ...headerLists(headers),
    ...(authority === null
      ? {}
      : { hostRewriteSpecifier: { $case: 'hostRewriteLiteral', value: authority } }),
  };
}

function mirror({ destination, percent }: Mirror): DeepPartial<RouteAction_RequestMirrorPolicy> {
  return {
    cluster: clusterOf(destination),
    ...(percent === 100 ? {} : { runtimeFraction: { defaultValue: fraction(percent) } }),
    traceSampled: false,
  };
}

/** A policy without conditions switches the mesh's own off. */
function retryPolicy(retries: RetryRule): DeepPartial<RetryPolicy> {
  if (retries.attempts === 0) return { numRetries: 0 };
  const { retryOn, attempts, statusCodes, perTryTimeoutMs, backoffMs, avoidsPreviousHosts } = retries;
  const previousHosts = {
    name: 'envoy.retry_host_predicates.previous_hosts',
    configType: { $case: 'typedConfig' as const, value: packAny(TypeUrl.previousHosts, {}) },
  };
  return {
    retryOn,
    numRetries: attempts,
    retriableStatusCodes: [...statusCodes],
    ...(perTryTimeoutMs === 0 ? {} : { perTryTimeout: duration(perTryTimeoutMs) }),
    ...(backoffMs === 0 ? {} : { retryBackOff: { baseInterval: duration(backoffMs) } }),
    ...(avoidsPreviousHosts
      ? { retryHostPredicate: [previousHosts], hostSelectionRetryMaxAttempts: morePicks }
      : {}),
  };
}

const redirectCode = {
  301: RedirectCode.MOVED_PERMANENTLY,
  302: RedirectCode.FOUND,
  303: RedirectCode.SEE_OTHER,
  307: RedirectCode.TEMPORARY_REDIRECT,
  308: RedirectCode.PERMANENT_REDIRECT,
};

function redirect({ status, scheme, host, port, path }: ModelRedirect): DeepPartial<RedirectAction> {
  return {
    responseCode: redirectCode[status],
    ...(host === null ? {} : { hostRedirect: host }),
    ...(port === null ? {} : { portRedirect: port }),
    ...(scheme === null ? {} : { schemeRewriteSpecifier: { $case: 'schemeRedirect', value: scheme } }),
    ...(path === null ? {} : { pathRewriteSpecifier: redirectPath(path) }),
  };
}

function redirectPath(path: PathRewrite): DeepPartial<RedirectAction>['pathRewriteSpecifier'] {
  if (path.kind === 'regex') {
    const { pattern, substitution } = path;
    return { $case: 'regexRewrite', value: { pattern: { regex: pattern }, substitution } };
  }
  return { $case: path.kind === 'full' ? 'pathRedirect' : 'prefixRewrite', value: path.value };
}

function bodyOf({ body }: DirectResponseAction): DeepPartial<DataSource> | undefined {
  if (body === null) return undefined;
  return {
    specifier:
      body.encoding === 'text'
        ? { $case: 'inlineString', value: body.value }
        : { $case: 'inlineBytes', value: Buffer.from(body.value, 'base64') },
  };
}
