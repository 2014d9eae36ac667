import type { CorsPolicy as CorsPolicyMessage } from '@heddle/xds/api/envoy/extensions/filters/http/cors/v3/cors.ts';
import type { RuntimeFractionalPercent } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import type { ProblemList } from '../../config/problem-list.ts';
import { compileFraction, compileStringMatcher } from '../../routing/compile-matchers.ts';
import { isHeaderValue } from '../../routing/header-syntax.ts';
import type { Fraction } from '../../routing/route-entry.ts';
import type { TextMatcher } from '../../routing/string-matcher.ts';
import type { CorsPolicy } from './cors-policy.ts';

/** Compiles a policy that stands at `path`. */
export function compileCorsPolicy(
  message: CorsPolicyMessage,
  path: string,
  problems: ProblemList,
): CorsPolicy {
  const origins: TextMatcher[] = [];
  for (const [index, matcher] of message.allowOriginStringMatch.entries()) {
    const origin = compileStringMatcher(matcher, `${path}.allow_origin_string_match[${index}]`, problems);
    if (origin !== null) origins.push(origin);
  }
  const value = (field: string, text: string): string => {
    if (!isHeaderValue(text)) problems.invalid(`${path}.${field}`, 'is no value of a header');
    return text;
  };
  const share = (field: string, percent: RuntimeFractionalPercent | undefined): Fraction | null =>
    percent === undefined
      ? null
      : compileFraction(percent.defaultValue, `${path}.${field}.default_value`, problems);
  return {
    origins,
    allowMethods: value('allow_methods', message.allowMethods),
    allowHeaders: value('allow_headers', message.allowHeaders),
    exposeHeaders: value('expose_headers', message.exposeHeaders),
    maxAge: value('max_age', message.maxAge),
    allowsCredentials: message.allowCredentials ?? null,
    allowsPrivateNetwork: message.allowPrivateNetworkAccess ?? null,
    forwardsOthers: message.forwardNotMatchingPreflights ?? null,
    enabled: share('filter_enabled', message.filterEnabled),
    shadow: share('shadow_enabled', message.shadowEnabled),
  };
}
