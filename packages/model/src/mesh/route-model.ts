// What a rule for requests says, whichever kind of object it was written in.
import type { ObjectKey } from '../manifest/object.ts';

/** How a piece of text must look. `present` asks only that it is there; `regex` is RE2's and matches the whole text. */
export type TextMatch =
  | { readonly kind: 'exact' | 'prefix' | 'regex'; readonly value: string }
  | { readonly kind: 'present' };

export interface HeaderMatch {
  /** Lower-case. */
  readonly name: string;
  readonly match: TextMatch;
  /**
   * The request must not match (`withoutHeaders`). One without the header passes, so that in Envoy's terms a missing header
   * is treated as empty unless the match asks for presence.
   */
  readonly invert: boolean;
}

export interface QueryParameterMatch {
  readonly name: string;
  readonly match: TextMatch;
}

/**
 * A condition on the path without query. `prefix` is a prefix of the text as in Envoy, `segments` one of whole path segments,
 * without a slash at its end.
 */
export interface PathMatch {
  readonly kind: 'exact' | 'prefix' | 'segments' | 'regex';
  readonly value: string;
  readonly ignoreCase: boolean;
}

/** All conditions must hold; none at all matches every request. */
export interface RouteMatch {
  readonly path: PathMatch | null;
  readonly scheme: TextMatch | null;
  readonly method: TextMatch | null;
  readonly authority: TextMatch | null;
  readonly headers: readonly HeaderMatch[];
  readonly queryParameters: readonly QueryParameterMatch[];
}

/** A field and its value, which may hold Envoy's format operators. */
export type HeaderValue = readonly [name: string, value: string];

/** Changes of one message's fields: what is set replaces what is there. */
export interface HeaderOperations {
  readonly set: readonly HeaderValue[];
  readonly add: readonly HeaderValue[];
  readonly remove: readonly string[];
}

/** Changes of requests and of responses; null where there are none. */
export interface HeaderChanges {
  readonly request: HeaderOperations | null;
  readonly response: HeaderOperations | null;
}

/** Where a share of a route's requests goes. Its cluster is `clusterName(port, subset, host)`. */
export interface WeightedDestination {
  /** Fully qualified; '' for a backend that cannot be used, whose share is refused. */
  readonly host: string;
  readonly port: number;
  /** Name of a subset; '' for all instances. */
  readonly subset: string;
  /** Share of the sum over the route's destinations; at least 1. */
  readonly weight: number;
  readonly headers: HeaderChanges | null;
  /** What its requests' authority becomes; null for what the rule says. */
  readonly authority: string | null;
}

/** A copy of requests, whose responses nobody reads. */
export interface Mirror {
  readonly destination: Pick<WeightedDestination, 'host' | 'port' | 'subset'>;
  /** Of requests, 0 to 100. */
  readonly percent: number;
}

/** When and how often a request is tried again. */
export interface RetryRule {
  /** Beside the first try; 0 for none. */
  readonly attempts: number;
  /** Envoy's conditions, separated by commas. */
  readonly retryOn: string;
  readonly statusCodes: readonly number[];
  /** 0 for none. */
  readonly perTryTimeoutMs: number;
  /** The shortest pause's upper bound; 0 for Envoy's. */
  readonly backoffMs: number;
  /** Whether another endpoint is looked for than those that were tried. */
  readonly avoidsPreviousHosts: boolean;
}

/** What becomes of a path: `replace` stands for what the match has matched, or for the whole path where that is no prefix. */
export type PathRewrite =
  | { readonly kind: 'replace' | 'full'; readonly value: string }
  | { readonly kind: 'regex'; readonly pattern: string; readonly substitution: string };

/** What a request is sent to. */
export interface ForwardAction {
  readonly kind: 'forward';
  /** Never empty. */
  readonly destinations: readonly WeightedDestination[];
  /** Whole milliseconds until the whole response is there; 0 for no limit, which is what an absent `timeout` means. */
  readonly timeoutMs: number;
  /** Null for what holds throughout the mesh. */
  readonly retries: RetryRule | null;
  readonly path: PathRewrite | null;
  /** What the request's authority becomes; null where it stays. */
  readonly authority: string | null;
  readonly mirrors: readonly Mirror[];
}

/** What is null stays as it is. */
export interface RedirectAction {
  readonly kind: 'redirect';
  readonly status: 301 | 302 | 303 | 307 | 308;
  readonly scheme: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly path: PathRewrite | null;
}

/** An answer of the proxy's own. */
export interface DirectResponseAction {
  readonly kind: 'direct-response';
  readonly status: number;
  /** Text as it is, or bytes in base64; null for no body. */
  readonly body: { readonly encoding: 'text' | 'base64'; readonly value: string } | null;
}

export type RouteAction = ForwardAction | RedirectAction | DirectResponseAction;

/** What is done to requests on purpose, to `percent` (0 to 100) of them. */
export interface FaultRule {
  readonly delay: { readonly ms: number; readonly percent: number } | null;
  readonly abort: {
    readonly kind: 'http' | 'grpc';
    readonly status: number;
    readonly percent: number;
  } | null;
}

/** Which pages of other origins may read what. */
export interface CorsRule {
  readonly origins: readonly Exclude<TextMatch, { kind: 'present' }>[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds: number | null;
  readonly allowsCredentials: boolean | null;
  /** Preflights of other origins go on to the service. */
  readonly forwardsOthers: boolean;
}

/** One rule; of a host's rules the first that matches decides. */
export interface RouteRule {
  /** Names of rule and match joined with a dot, as Istio's access logs show them; `default` for the implicit rule. */
  readonly name: string;
  readonly match: RouteMatch;
  /** The rule is for clients only that carry all of these labels; null for all clients. */
  readonly sourceLabels: Readonly<Record<string, string>> | null;
  readonly action: RouteAction;
  /** What every request and response of the rule is changed by, before what its destination does. */
  readonly headers: HeaderChanges | null;
  readonly fault: FaultRule | null;
  readonly cors: CorsRule | null;
  /** For Envoy's statistics per route; '' for none. */
  readonly statPrefix: string;
  /** The object and the field the rule comes from; null for the implicit rule of a host without one. */
  readonly origin: { readonly object: ObjectKey; readonly path: string } | null;
}
