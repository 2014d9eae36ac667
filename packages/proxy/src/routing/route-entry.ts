// Hot path.
import { invariant, type Random } from '@heddle/base';
import { isGrpcContentType } from '../grpc/content-type.ts';
import type { HeaderMatcher } from './header-matcher.ts';
import type { PathMatcher } from './path-matcher.ts';
import type { QueryParameterMatcher } from './query-matcher.ts';
import type { RequestView } from './request-view.ts';
import type { RouteMatch } from './route-match.ts';

/** The share of requests that a route applies to: `numerator` out of `denominator`. */
export interface Fraction {
  readonly numerator: number;
  readonly denominator: number;
}

/** One of the outcomes of a route, chosen with a probability of `weight` to the sum of weights. */
export interface WeightedMatch<C> {
  readonly weight: number;
  readonly match: RouteMatch<C>;
}

export interface RouteConditions {
  readonly path: PathMatcher;
  readonly headers: readonly HeaderMatcher[];
  readonly queryParameters: readonly QueryParameterMatcher[];
  /** For gRPC calls, by their content type. */
  readonly isGrpcOnly: boolean;
  /** Null for all requests. */
  readonly fraction: Fraction | null;
}

/** One route of a virtual host: its conditions and its outcomes. */
export class RouteEntry<C> {
  private readonly path: PathMatcher;
  private readonly headers: readonly HeaderMatcher[];
  private readonly queryParameters: readonly QueryParameterMatcher[];
  private readonly isGrpcOnly: boolean;
  private readonly fractionNumerator: number;
  /** 0 for no fraction. */
  private readonly fractionDenominator: number;
  private readonly targets: readonly RouteMatch<C>[];
  private readonly numberHeader: string;
  /** Cumulative weights of `targets`. */
  private readonly upTo: Float64Array;

  /** `numberHeader` names the field whose number takes the place of a random one; empty for none. */
  constructor(conditions: RouteConditions, targets: readonly WeightedMatch<C>[], numberHeader = '') {
    invariant(targets.length > 0, 'a route needs an outcome');
    this.path = conditions.path;
    this.headers = conditions.headers;
    this.queryParameters = conditions.queryParameters;
    this.isGrpcOnly = conditions.isGrpcOnly;
    this.fractionNumerator = conditions.fraction?.numerator ?? 0;
    this.fractionDenominator = conditions.fraction?.denominator ?? 0;
    this.targets = targets.map((target) => target.match);
    this.numberHeader = numberHeader;
    this.upTo = new Float64Array(targets.length);
    let sum = 0;
    for (const [index, target] of targets.entries()) {
      sum += target.weight;
      this.upTo[index] = sum;
    }
  }

  /** Whether the route applies. `path` is the request's path without its query. */
  matches(request: RequestView, path: string, random: Random): boolean {
    if (!this.path.matches(path)) return false;
    const { headers, queryParameters } = this;
    for (let i = 0; i < headers.length; i++) {
      if (!headers[i]!.matches(request)) return false;
    }
    for (let i = 0; i < queryParameters.length; i++) {
      if (!queryParameters[i]!.matches(request.path)) return false;
    }
    if (this.isGrpcOnly && !isGrpcContentType(request.header('content-type'))) return false;
    if (this.fractionDenominator === 0) return true;
    return random.uint32() % this.fractionDenominator < this.fractionNumerator;
  }

  /** The outcome for one request: by weight where there are several. */
  choose(request: RequestView, random: Random): RouteMatch<C> {
    const { targets, upTo } = this;
    const last = targets.length - 1;
    if (last === 0) return targets[0]!;
    const value = this.numberOf(request, upTo[last]!) ?? random.uint32() % upTo[last]!;
    let index = 0;
    while (index < last && value >= upTo[index]!) index++;
    return targets[index]!;
  }

  /** The number that the request brings itself, below `total`; null where it brings none. */
  private numberOf(request: RequestView, total: number): number | null {
    if (this.numberHeader === '') return null;
    const value = request.headerValue(this.numberHeader, 0);
    return value !== null && number.test(value) ? Number(BigInt(value) % BigInt(total)) : null;
  }
}

/** As many digits as a number of 64 bits can have. */
const number = /^\d{1,20}$/;
