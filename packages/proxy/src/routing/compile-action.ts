import { RoutingPriority as Priority } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import type { RoutingPriority } from '../cluster/cluster-metrics.ts';
import { assertNever } from '@heddle/base';
import {
  type DirectResponseAction,
  type RedirectAction,
  RedirectAction_RedirectResponseCode as RedirectCode,
  RouteAction_ClusterNotFoundResponseCode as NotFoundCode,
  type Route,
  type RouteAction,
  type WeightedCluster,
} from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import type { RegexMatchAndSubstitute } from '@heddle/xds/api/envoy/type/matcher/v3/regex.ts';
import { durationMs } from '../config/duration.ts';
import { inlineBytes } from '../config/inline-bytes.ts';
import type { ProblemList } from '../config/problem-list.ts';
import type { RouteFilterConfigs } from '../policy/route-filter-config.ts';
import { validHost } from '../codec/valid-host.ts';
import {
  compileHeaderChanges,
  type HeaderChanges,
  joinMutations,
  noHeaderChanges,
} from './compile-headers.ts';
import type { GrpcTimeoutRules } from '../grpc/timeout-rules.ts';
import { compileHashPolicy } from './compile-hash-policy.ts';
import type { HashPolicy } from './hash-policy.ts';
import { compileGrpcTimeout } from './compile-grpc-timeout.ts';
import { compileRegexRewrite } from './compile-regex.ts';
import { compileRetries, type Retries } from './compile-retry-policy.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { compileRouteFilters, joinRouteFilters } from './compile-route-filters.ts';
import { isHeaderName, isHeaderValue } from './header-syntax.ts';
import type { HostRewrite } from './host-rewrite.ts';
import { compileInternalRedirect } from './compile-internal-redirect.ts';
import { compileMirrors } from './compile-mirrors.ts';
import { namedByRequest, noTarget, type Target, type TargetContext } from './compile-target.ts';
import { compileRouteUpgrades } from './compile-upgrades.ts';
import type { InternalRedirectPolicy } from './internal-redirect.ts';
import type { MirrorPolicy } from './mirror-policy.ts';
import type { PathMatcher } from './path-matcher.ts';
import type { WeightedMatch } from './route-entry.ts';
import type { TryLimits } from './try-limits.ts';
import {
  type DirectResponse,
  type PathRewrite,
  type Redirect,
  RouteMatch,
  type UpgradeRules,
} from './route-match.ts';

/** Envoy's default for `RouteAction.timeout`. */
const defaultTimeoutMs = 15_000;

/** What the levels around a route contribute to it. */
export interface RouteContext<C> extends TargetContext<C> {
  readonly virtualHostName: string;
  /** Those of virtual host and route configuration, for routes without. */
  readonly mirrors: readonly MirrorPolicy<C>[] | null;
  readonly maxDirectResponseBytes: number;
  /** The virtual host's `request_body_buffer_limit`. */
  readonly requestBodyLimit: Route['requestBodyBufferLimit'];
  /** The virtual host's `per_request_buffer_limit_bytes`. */
  readonly requestBufferLimit: Route['perRequestBufferLimitBytes'];
  /** By the virtual host's `retry_policy`, for routes without one. */
  readonly retries: Retries;
  /** `include_is_timeout_retry_header`. */
  readonly tellsTimeoutRetries: boolean;
  /** `include_request_attempt_count`, `include_attempt_count_in_response`. */
  readonly tellsAttempts: boolean;
  readonly returnsAttempts: boolean;
  /** Outermost first: route configuration, virtual host. */
  readonly outerHeaders: readonly HeaderChanges[];
  /** What the levels say to the connection manager's filters, outermost first. */
  readonly filters: readonly RouteFilterConfigs[];
  /** Outer levels change headers before inner ones, so that the inner ones win. */
  readonly innermostWins: boolean;
}

/** Everything about an outcome but the cluster. */
interface Outcome {
  readonly kind: 'forward' | 'direct-response' | 'redirect';
  readonly clusterNotFoundStatus: number;
  readonly priority: RoutingPriority;
  readonly timeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxStreamDurationMs: number;
  readonly grpcTimeout: GrpcTimeoutRules | null;
  readonly hashPolicy: HashPolicy | null;
  readonly maxRequestBytes: number;
  readonly internalRedirect: InternalRedirectPolicy | null;
  readonly retryPolicy: RetryPolicy | null;
  readonly tryLimits: TryLimits | null;
  readonly tellsTimeoutRetries: boolean;
  readonly keptBodyBytes: number;
  readonly tellsAttempts: boolean;
  readonly returnsAttempts: boolean;
  readonly upgrades: UpgradeRules | null;
  readonly pathRewrite: PathRewrite | null;
  readonly hostRewrite: HostRewrite | null;
  readonly appendsForwardedHost: boolean;
  readonly directResponse: DirectResponse | null;
  readonly redirect: Redirect | null;
}

/** An outcome that asks no upstream. */
export const localOutcome: Outcome = {
  kind: 'direct-response',
  clusterNotFoundStatus: 503,
  priority: 'default',
  timeoutMs: 0,
  idleTimeoutMs: -1,
  maxStreamDurationMs: -1,
  grpcTimeout: null,
  hashPolicy: null,
  maxRequestBytes: -1,
  internalRedirect: null,
  retryPolicy: null,
  tryLimits: null,
  tellsTimeoutRetries: false,
  keptBodyBytes: -1,
  tellsAttempts: false,
  returnsAttempts: false,
  upgrades: null,
  pathRewrite: null,
  hostRewrite: null,
  appendsForwardedHost: false,
  directResponse: null,
  redirect: null,
};

/** Compiles what a route does; an empty list with problems noted. */
export function compileAction<C>(
  route: Route,
  matcher: PathMatcher | null,
  outer: RouteContext<C>,
  path: string,
  problems: ProblemList,
): WeightedMatch<C>[] {
  const headers = compileHeaderChanges(route, path, problems);
  const filters = compileRouteFilters(
    route.typedPerFilterConfig,
    `${path}.typed_per_filter_config`,
    problems,
  );
  const context = { ...outer, filters: [...outer.filters, filters] };
  const { action } = route;
  const single = (outcome: Outcome | null): WeightedMatch<C>[] =>
    outcome === null
      ? []
      : [{ weight: 1, match: makeMatch(route, outcome, noTarget, null, headers, noHeaderChanges, context) }];
  switch (action?.$case) {
    case undefined:
      problems.invalid(path, 'needs one of route, redirect, direct_response');
      return [];
    case 'directResponse':
      return single(directResponse(action.value, context, `${path}.direct_response`, problems));
    case 'redirect':
      return single(redirect(action.value, matcher, `${path}.redirect`, problems));
    case 'route': {
      const { retryPolicy } = action.value;
      const retries =
        retryPolicy === undefined
          ? context.retries
          : compileRetries(retryPolicy, `${path}.route.retry_policy`, problems);
      const outcome = {
        ...forward(action.value, matcher, `${path}.route`, problems),
        maxRequestBytes: bodyLimit(route.requestBodyBufferLimit ?? context.requestBodyLimit),
        keptBodyBytes: keptBody(route, context),
        tellsAttempts: context.tellsAttempts,
        returnsAttempts: context.returnsAttempts,
        internalRedirect: compileInternalRedirect(
          action.value.internalRedirectPolicy,
          `${path}.route.internal_redirect_policy`,
          problems,
        ),
        retryPolicy: retries.policy,
        tryLimits: retries.limits,
        tellsTimeoutRetries: context.tellsTimeoutRetries,
      };
      return compileClusters(route, action.value, outcome, headers, context, `${path}.route`, problems);
    }
    default:
      return assertNever(action);
  }
}

/** Envoy buffers up to so many bytes where it buffers; this proxy streams, and takes the number as the limit of what passes. */
function bodyLimit(limit: Route['requestBodyBufferLimit']): number {
  return limit ?? -1;
}

/** Of the two names of the limit the newer one holds, of the two levels the inner one. */
function keptBody(route: Route, context: RouteContext<unknown>): number {
  const own = route.requestBodyBufferLimit ?? route.perRequestBufferLimitBytes;
  return own ?? context.requestBodyLimit ?? context.requestBufferLimit ?? -1;
}

function makeMatch<C>(
  route: Route,
  outcome: Outcome,
  target: Target<C>,
  mirrors: readonly MirrorPolicy<C>[] | null,
  headers: HeaderChanges,
  clusterHeaders: HeaderChanges,
  context: RouteContext<C>,
): RouteMatch<C> {
  const levels = [...context.outerHeaders, headers, clusterHeaders];
  if (!context.innermostWins) levels.reverse();
  return new RouteMatch<C>({
    ...outcome,
    routeName: route.name,
    virtualHostName: context.virtualHostName,
    filters: joinRouteFilters(context.filters),
    ...target,
    mirrors,
    requestHeaders: joinMutations(levels.map((level) => level.request)),
    responseHeaders: joinMutations(levels.map((level) => level.response)),
  });
}

function forward(
  action: RouteAction,
  matcher: PathMatcher | null,
  path: string,
  problems: ProblemList,
): Outcome {
  const duration = action.maxStreamDuration;
  const timeoutMs = durationMs(action.timeout, defaultTimeoutMs, `${path}.timeout`, problems);
  return {
    ...localOutcome,
    kind: 'forward',
    clusterNotFoundStatus: notFoundStatus(action, path, problems),
    priority: action.priority === Priority.HIGH ? 'high' : 'default',
    // As in Envoy, a route that limits the whole stream does not limit the response besides.
    timeoutMs: duration === undefined ? timeoutMs : 0,
    grpcTimeout: compileGrpcTimeout(action, path, problems),
    hashPolicy: compileHashPolicy(action.hashPolicy, `${path}.hash_policy`, problems),
    idleTimeoutMs: durationMs(action.idleTimeout, -1, `${path}.idle_timeout`, problems),
    maxStreamDurationMs: durationMs(
      duration?.maxStreamDuration,
      -1,
      `${path}.max_stream_duration.max_stream_duration`,
      problems,
    ),
    upgrades: compileRouteUpgrades(action.upgradeConfigs, `${path}.upgrade_configs`, problems),
    pathRewrite: pathRewrite(action.prefixRewrite, action.regexRewrite, matcher, path, problems),
    hostRewrite: compileHostRewrite(action.hostRewriteSpecifier, path, problems),
    appendsForwardedHost: action.appendXForwardedHost,
  };
}

function notFoundStatus(action: RouteAction, path: string, problems: ProblemList): number {
  switch (action.clusterNotFoundResponseCode) {
    case NotFoundCode.SERVICE_UNAVAILABLE:
      return 503;
    case NotFoundCode.NOT_FOUND:
      return 404;
    case NotFoundCode.INTERNAL_SERVER_ERROR:
      return 500;
    default:
      problems.invalid(`${path}.cluster_not_found_response_code`, 'is not known');
      return 503;
  }
}

function pathRewrite(
  replacement: string,
  regex: RegexMatchAndSubstitute | undefined,
  matcher: PathMatcher | null,
  path: string,
  problems: ProblemList,
): PathRewrite | null {
  if (regex !== undefined) {
    if (replacement !== '') problems.invalid(`${path}.regex_rewrite`, 'excludes prefix_rewrite');
    const rewrite = compileRegexRewrite(regex, `${path}.regex_rewrite`, problems);
    return rewrite === null ? null : { kind: 'regex', rewrite };
  }
  if (replacement === '' || matcher === null) return null;
  if (!isHeaderValue(replacement) || /[\s#]/.test(replacement)) {
    problems.invalid(`${path}.prefix_rewrite`, 'holds characters that no path may hold');
  }
  return { kind: 'prefix', length: matcher.kind === 'regex' ? -1 : matcher.value.length, replacement };
}

function compileHostRewrite(
  specifier: RouteAction['hostRewriteSpecifier'],
  path: string,
  problems: ProblemList,
): HostRewrite | null {
  switch (specifier?.$case) {
    case undefined:
      return null;
    case 'hostRewriteLiteral':
      return literalHost(specifier.value, `${path}.host_rewrite_literal`, problems);
    case 'autoHostRewrite':
      return specifier.value ? { kind: 'endpoint' } : null;
    case 'hostRewriteHeader':
      if (isHeaderName(specifier.value)) return { kind: 'header', name: specifier.value.toLowerCase() };
      problems.invalid(`${path}.host_rewrite_header`, `"${specifier.value}" is no header name`);
      return null;
    case 'hostRewritePathRegex': {
      const rewrite = compileRegexRewrite(specifier.value, `${path}.host_rewrite_path_regex`, problems);
      return rewrite === null ? null : { kind: 'path', rewrite };
    }
    default:
      return assertNever(specifier);
  }
}

function literalHost(host: string, path: string, problems: ProblemList): HostRewrite | null {
  return host === '' ? null : { kind: 'literal', host: checkedHost(host, path, problems) };
}

function checkedHost(host: string, path: string, problems: ProblemList): string {
  if (!validHost.test(host)) problems.invalid(path, `"${host}" is no host`);
  return host;
}

function compileClusters<C>(
  route: Route,
  action: RouteAction,
  outcome: Outcome,
  headers: HeaderChanges,
  context: RouteContext<C>,
  path: string,
  problems: ProblemList,
): WeightedMatch<C>[] {
  const mirrors =
    compileMirrors(action.requestMirrorPolicies, context, `${path}.request_mirror_policies`, problems) ??
    context.mirrors;
  const specifier = action.clusterSpecifier;
  switch (specifier?.$case) {
    case undefined:
      problems.invalid(path, 'needs one of cluster, cluster_header, weighted_clusters');
      return [];
    case 'cluster': {
      const name = specifier.value;
      if (name === '') {
        problems.invalid(`${path}.cluster`, 'must not be empty');
        return [];
      }
      const target = {
        ...noTarget,
        clusterName: name,
        cluster: context.resolveCluster(name, `${path}.cluster`),
      };
      return [
        { weight: 1, match: makeMatch(route, outcome, target, mirrors, headers, noHeaderChanges, context) },
      ];
    }
    case 'clusterHeader': {
      const target = namedByRequest(specifier.value, context, `${path}.cluster_header`, problems);
      return [
        { weight: 1, match: makeMatch(route, outcome, target, mirrors, headers, noHeaderChanges, context) },
      ];
    }
    case 'weightedClusters':
      return weighted(
        route,
        specifier.value,
        outcome,
        mirrors,
        headers,
        context,
        `${path}.weighted_clusters`,
        problems,
      );
    default:
      return assertNever(specifier);
  }
}

const maxTotalWeight = 0xffff_ffff;

function weighted<C>(
  route: Route,
  message: WeightedCluster,
  outcome: Outcome,
  mirrors: readonly MirrorPolicy<C>[] | null,
  headers: HeaderChanges,
  context: RouteContext<C>,
  path: string,
  problems: ProblemList,
): WeightedMatch<C>[] {
  const matches: WeightedMatch<C>[] = [];
  const numberHeader = message.randomValueSpecifier?.value ?? '';
  if (numberHeader !== '' && !isHeaderName(numberHeader))
    problems.invalid(`${path}.header_name`, `"${numberHeader}" is no header name`);
  let total = 0;
  for (const [index, target] of message.clusters.entries()) {
    const place = `${path}.clusters[${index}]`;
    const namesOne = target.name !== '' && target.clusterHeader === '';
    if (target.name === '' && target.clusterHeader === '')
      problems.invalid(
        `${place}.name`,
        'must not be empty',
        'or name the field that names it in cluster_header',
      );
    if (target.name !== '' && target.clusterHeader !== '')
      problems.invalid(`${place}.cluster_header`, 'excludes name');
    if (target.weight === undefined) problems.invalid(`${place}.weight`, 'is required');
    const clusterHeaders = compileHeaderChanges(target, place, problems);
    const filters = compileRouteFilters(
      target.typedPerFilterConfig,
      `${place}.typed_per_filter_config`,
      problems,
    );
    const host = target.hostRewriteSpecifier;
    const hostRewrite =
      host === undefined
        ? outcome.hostRewrite
        : literalHost(host.value, `${place}.host_rewrite_literal`, problems);
    const weight = target.weight ?? 0;
    total += weight;
    // A cluster of weight 0 gets nothing, but Envoy, too, wants to know it.
    const destination: Target<C> = namesOne
      ? {
          ...noTarget,
          clusterName: target.name,
          cluster: context.resolveCluster(target.name, `${place}.name`),
        }
      : namedByRequest(target.clusterHeader, context, `${place}.cluster_header`, problems);
    const inner = { ...context, filters: [...context.filters, filters] };
    const match = makeMatch(
      route,
      { ...outcome, hostRewrite },
      destination,
      mirrors,
      headers,
      clusterHeaders,
      inner,
    );
    matches.push({ weight, match });
  }
  if (total < 1 || total > maxTotalWeight) {
    problems.invalid(path, `the weights add up to ${total}, which must be 1 to ${maxTotalWeight}`);
    return [];
  }
  if (message.totalWeight !== undefined && message.totalWeight !== total) {
    problems.invalid(`${path}.total_weight`, `the weights add up to ${total}, not to ${message.totalWeight}`);
  }
  return matches;
}

function directResponse<C>(
  action: DirectResponseAction,
  context: RouteContext<C>,
  path: string,
  problems: ProblemList,
): Outcome | null {
  if (action.status < 200 || action.status > 599) {
    problems.invalid(`${path}.status`, `${action.status} is not within 200 to 599`);
    return null;
  }
  const body = inlineBytes(action.body, `${path}.body`, problems);
  if (body.length > context.maxDirectResponseBytes) {
    problems.invalid(
      `${path}.body`,
      `${body.length} bytes are more than the ${context.maxDirectResponseBytes} allowed`,
    );
  }
  return { ...localOutcome, directResponse: { status: action.status, body } };
}

const redirectStatus: Readonly<Record<number, number>> = {
  [RedirectCode.MOVED_PERMANENTLY]: 301,
  [RedirectCode.FOUND]: 302,
  [RedirectCode.SEE_OTHER]: 303,
  [RedirectCode.TEMPORARY_REDIRECT]: 307,
  [RedirectCode.PERMANENT_REDIRECT]: 308,
};

function redirect(
  action: RedirectAction,
  matcher: PathMatcher | null,
  path: string,
  problems: ProblemList,
): Outcome | null {
  const status = redirectStatus[action.responseCode];
  if (status === undefined) {
    problems.invalid(`${path}.response_code`, 'is not known');
    return null;
  }
  const rewrite = action.pathRewriteSpecifier;
  const regex = rewrite?.$case === 'regexRewrite' ? rewrite.value : undefined;
  const prefix = rewrite?.$case === 'prefixRewrite' ? rewrite.value : '';
  const newPath = rewrite?.$case === 'pathRedirect' ? rewrite.value : '';
  if (!isHeaderValue(newPath))
    problems.invalid(`${path}.path_redirect`, 'holds characters that no path may hold');
  const host =
    action.hostRedirect === '' ? null : checkedHost(action.hostRedirect, `${path}.host_redirect`, problems);
  return {
    ...localOutcome,
    kind: 'redirect',
    redirect: {
      status,
      scheme: redirectScheme(action, path, problems),
      host,
      port: action.portRedirect === 0 ? null : action.portRedirect,
      keepsPort: false,
      path: newPath === '' ? null : newPath,
      pathRewrite: pathRewrite(prefix, regex, matcher, path, problems),
      stripsQuery: action.stripQuery,
    },
  };
}

function redirectScheme(action: RedirectAction, path: string, problems: ProblemList): string | null {
  const specifier = action.schemeRewriteSpecifier;
  if (specifier === undefined) return null;
  if (specifier.$case === 'httpsRedirect') return specifier.value ? 'https' : null;
  const scheme = specifier.value.toLowerCase();
  if (scheme === 'http' || scheme === 'https') return scheme;
  problems.invalid(`${path}.scheme_redirect`, `"${specifier.value}" is neither http nor https`);
  return null;
}
