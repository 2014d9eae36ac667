// Hot path.
import type { HashPolicy } from './hash-policy.ts';
import type { RoutingPriority } from '../cluster/cluster-metrics.ts';
import type { RouteFilterConfigs } from '../policy/route-filter-config.ts';
import type { RegexRewrite } from '@heddle/base/regex/regex-rewrite.ts';
import type { GrpcTimeoutRules } from '../grpc/timeout-rules.ts';
import type { HeaderMutation } from './header-mutation.ts';
import type { InternalRedirectPolicy } from './internal-redirect.ts';
import type { MirrorPolicy } from './mirror-policy.ts';
import type { RetryPolicy } from './retry-policy.ts';
import type { HostRewrite } from './host-rewrite.ts';
import type { TryLimits } from './try-limits.ts';

/** What a route does with a request. */
export type RouteKind = 'forward' | 'direct-response' | 'redirect';

/** What becomes of a path; its query stays. */
export type PathRewrite =
  /** The matched part (`length` characters, or all with -1) is replaced. */
  | { readonly kind: 'prefix'; readonly length: number; readonly replacement: string }
  | { readonly kind: 'regex'; readonly rewrite: RegexRewrite };

/**
 * What is done with upgrades, by name in lower case (`websocket`, `connect`): forwarded and, where the upstream agrees,
 * tunnelled; tunnelled to the upstream as plain bytes (CONNECT only); refused.
 */
export type UpgradeRules = ReadonlyMap<string, 'forward' | 'tunnel' | 'refuse'>;

/** A response that the proxy gives itself. */
export interface DirectResponse {
  readonly status: number;
  readonly body: Buffer;
}

/** A redirect; what is null is taken from the request. */
export interface Redirect {
  readonly status: number;
  /** `http` or `https`. */
  readonly scheme: string | null;
  readonly host: string | null;
  readonly port: number | null;
  /** The request's port stays even where it is the default of another scheme. */
  readonly keepsPort: boolean;
  /** A new path, query included where it has one. */
  readonly path: string | null;
  readonly pathRewrite: PathRewrite | null;
  readonly stripsQuery: boolean;
}

/** The field in which a request names its cluster (`cluster_header`). */
export interface ClusterHeader<C> {
  /** Lower case; may be `:authority` and its like. */
  readonly name: string;
  /** The cluster of that name; null where there is none. */
  readonly find: (name: string) => C | null;
}

/** The fields of a `RouteMatch`. */
export interface RouteMatchFields<C> {
  readonly kind: RouteKind;
  readonly routeName: string;
  readonly virtualHostName: string;
  readonly clusterName: string;
  readonly clusterHeader: ClusterHeader<C> | null;
  readonly cluster: C | null;
  readonly mirrors: readonly MirrorPolicy<C>[] | null;
  readonly filters: RouteFilterConfigs | null;
  readonly clusterNotFoundStatus: number;
  readonly priority: RoutingPriority;
  readonly timeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxStreamDurationMs: number;
  readonly grpcTimeout: GrpcTimeoutRules | null;
  /** What of a request says which endpoint it goes to, in clusters that look at that. */
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
  readonly requestHeaders: readonly HeaderMutation[] | null;
  readonly responseHeaders: readonly HeaderMutation[] | null;
  readonly directResponse: DirectResponse | null;
  readonly redirect: Redirect | null;
}

/**
 * The outcome of routing: made once per route (and per cluster of a weighted one) when the configuration is compiled, and
 * shared by all requests. `C` is what a cluster's name was resolved to.
 */
export class RouteMatch<C> implements RouteMatchFields<C> {
  readonly kind: RouteKind;
  /** Empty where the route has no name. */
  readonly routeName: string;
  readonly virtualHostName: string;
  /** Empty unless the kind is `forward`, and where each request names its own. */
  readonly clusterName: string;
  /** The request names its cluster itself; null, as nearly always, where the route does. */
  readonly clusterHeader: ClusterHeader<C> | null;
  /** Null where there is no `clusterName`. */
  readonly cluster: C | null;
  /** Where copies go; null, as nearly always, for nowhere. */
  readonly mirrors: readonly MirrorPolicy<C>[] | null;
  /** What the route says to the connection manager's filters; null, as nearly always, for nothing. */
  readonly filters: RouteFilterConfigs | null;
  /** The status where the cluster does not exist. */
  readonly clusterNotFoundStatus: number;
  /** Which of the cluster's circuit breakers, and whose connections. */
  readonly priority: RoutingPriority;
  /** From the end of the request to the end of the response; 0 for none. */
  readonly timeoutMs: number;
  /** How long a request may stand still; -1 for the listener's `stream_idle_timeout`, 0 for none. */
  readonly idleTimeoutMs: number;
  /** How long a request may last from its first byte to its response's last; -1 for the listener's, 0 for ever. */
  readonly maxStreamDurationMs: number;
  /** What becomes of a caller's `grpc-timeout`; null where it only passes. */
  readonly hashPolicy: HashPolicy | null;
  readonly grpcTimeout: GrpcTimeoutRules | null;
  /** More than this many bytes of body get 413; -1 for no limit. */
  readonly maxRequestBytes: number;
  /** Null where nothing is tried again. */
  readonly retryPolicy: RetryPolicy | null;
  /** Which redirects the proxy follows itself; null for none. */
  readonly internalRedirect: InternalRedirectPolicy | null;
  /** Null where tries may take as long as they like. */
  readonly tryLimits: TryLimits | null;
  /** The upstream is told whether a retry follows a timeout (`x-envoy-is-timeout-retry`). */
  readonly tellsTimeoutRetries: boolean;
  /** The most bytes of a body that are kept for another try; -1 for as many as the listener says. */
  readonly keptBodyBytes: number;
  /** The upstream is told which try it is (`x-envoy-attempt-count`), and the client how many there were. */
  readonly tellsAttempts: boolean;
  readonly returnsAttempts: boolean;
  /** Where it differs from the listener's; null where it doesn't. */
  readonly upgrades: UpgradeRules | null;
  /** Bodies are needed without HTTP/1's chunks. */
  readonly takesPlainBodies: boolean;
  /** One of the limits above is the route's own: all others skip them together. */
  readonly hasOwnLimits: boolean;
  readonly pathRewrite: PathRewrite | null;
  /** The `Host` to send upstream; null keeps the request's. */
  readonly hostRewrite: HostRewrite | null;
  /** The old host goes into X-Forwarded-Host where another one is sent. */
  readonly appendsForwardedHost: boolean;
  /** Null for none. */
  readonly requestHeaders: readonly HeaderMutation[] | null;
  /** Null for none. */
  readonly responseHeaders: readonly HeaderMutation[] | null;
  /** Null unless the kind is `direct-response`. */
  readonly directResponse: DirectResponse | null;
  /** Null unless the kind is `redirect`. */
  readonly redirect: Redirect | null;

  constructor(fields: RouteMatchFields<C>) {
    this.kind = fields.kind;
    this.routeName = fields.routeName;
    this.virtualHostName = fields.virtualHostName;
    this.clusterName = fields.clusterName;
    this.clusterHeader = fields.clusterHeader;
    this.cluster = fields.cluster;
    this.mirrors = fields.mirrors;
    this.filters = fields.filters;
    this.clusterNotFoundStatus = fields.clusterNotFoundStatus;
    this.priority = fields.priority;
    this.timeoutMs = fields.timeoutMs;
    this.idleTimeoutMs = fields.idleTimeoutMs;
    this.maxStreamDurationMs = fields.maxStreamDurationMs;
    this.grpcTimeout = fields.grpcTimeout;
    this.hashPolicy = fields.hashPolicy;
    this.maxRequestBytes = fields.maxRequestBytes;
    this.retryPolicy = fields.retryPolicy;
    this.internalRedirect = fields.internalRedirect;
    this.tryLimits = fields.tryLimits;
    this.tellsTimeoutRetries = fields.tellsTimeoutRetries;
    this.keptBodyBytes = fields.keptBodyBytes;
    this.tellsAttempts = fields.tellsAttempts;
    this.returnsAttempts = fields.returnsAttempts;
    this.upgrades = fields.upgrades;
    this.takesPlainBodies = fields.mirrors !== null || fields.internalRedirect !== null;
    this.hasOwnLimits =
      fields.idleTimeoutMs >= 0 ||
      fields.maxStreamDurationMs >= 0 ||
      fields.maxRequestBytes >= 0 ||
      fields.grpcTimeout !== null;
    this.pathRewrite = fields.pathRewrite;
    this.hostRewrite = fields.hostRewrite;
    this.appendsForwardedHost = fields.appendsForwardedHost;
    this.requestHeaders = fields.requestHeaders;
    this.responseHeaders = fields.responseHeaders;
    this.directResponse = fields.directResponse;
    this.redirect = fields.redirect;
  }
}
