import { TypeUrl } from '@heddle/xds';
import type { InternalRedirectPolicy as PolicyMessage } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import type { ProblemList } from '../config/problem-list.ts';
import { refuseExtension, unpackConfig } from '../config/unpack-config.ts';
import { isHeaderName } from './header-syntax.ts';
import type { InternalRedirectPolicy } from './internal-redirect.ts';

/** Envoy's defaults. */
const defaultMaxRedirects = 1;
const defaultStatus = 302;
/** Others are left out, as Envoy does. */
const redirectStatuses = new Set([301, 302, 303, 307, 308]);

/** Compiles an `internal_redirect_policy`; null where no redirect is followed. */
export function compileInternalRedirect(
  message: PolicyMessage | undefined,
  path: string,
  problems: ProblemList,
): InternalRedirectPolicy | null {
  if (message === undefined) return null;
  for (const [index, name] of message.responseHeadersToCopy.entries()) {
    if (!isHeaderName(name))
      problems.invalid(`${path}.response_headers_to_copy[${index}]`, `"${name}" is no header name`);
  }
  const codes = message.redirectResponseCodes.filter((code) => redirectStatuses.has(code));
  let avoidsPrevious = false;
  let keepsPlain = false;
  let allowedRoutes: Set<string> | null = null;
  for (const [index, { name, typedConfig }] of message.predicates.entries()) {
    const place = `${path}.predicates[${index}]`;
    if (typedConfig?.typeUrl === TypeUrl.previousRoutes) avoidsPrevious = true;
    else if (typedConfig?.typeUrl === TypeUrl.safeCrossScheme) keepsPlain = true;
    else if (typedConfig?.typeUrl === TypeUrl.allowListedRoutes) {
      const list = unpackConfig(typedConfig, TypeUrl.allowListedRoutes, `${place}.typed_config`, problems);
      const names = new Set(list?.allowedRouteNames);
      // Several lists have to agree.
      allowedRoutes = allowedRoutes === null ? names : allowedRoutes.intersection(names);
    } else refuseExtension(name, typedConfig, place, problems);
  }
  return {
    maxRedirects: message.maxInternalRedirects ?? defaultMaxRedirects,
    statuses: new Set(message.redirectResponseCodes.length === 0 ? [defaultStatus] : codes),
    allowsCrossScheme: message.allowCrossSchemeRedirect,
    copiedFields: message.responseHeadersToCopy.map((name) => name.toLowerCase()),
    avoidsPrevious,
    allowedRoutes,
    keepsPlain,
  };
}
