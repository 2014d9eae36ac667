import { TypeUrl } from '@heddle/xds';
import type { Any } from '@heddle/xds/api/google/protobuf/any.ts';
import type { ProblemList } from '../config/problem-list.ts';
import { refuseExtension, unpackConfig } from '../config/unpack-config.ts';
import { compileCorsPolicy } from '../policy/cors/compile-cors-policy.ts';
import { joinedPolicies } from '../policy/cors/cors-policy.ts';
import { compileFault } from '../policy/fault/compile-fault.ts';
import { compileHttpRbac } from '../policy/rbac/compile-rbac.ts';
import type { RouteFilterConfig, RouteFilterConfigs } from '../policy/route-filter-config.ts';

const none: RouteFilterConfigs = new Map();

/**
 * Compiles `typed_per_filter_config`, which stands at `path`: what a level of the routing says to filters, by their names
 * in the connection manager. As in Envoy a name that no filter has is of no effect: listeners and routes come apart.
 */
export function compileRouteFilters(
  configs: Readonly<Record<string, Any>>,
  path: string,
  problems: ProblemList,
): RouteFilterConfigs {
  const entries = Object.entries(configs);
  if (entries.length === 0) return none;
  const compiled = new Map<string, RouteFilterConfig>();
  for (const [name, config] of entries) {
    const place = `${path}[${name}]`;
    const filter = compileRouteFilter(name, config, place, problems);
    if (filter !== null) compiled.set(name, filter);
  }
  return compiled;
}

/**
 * What applies where these levels meet, the outermost first: the innermost wins whole, but with CORS in what it says only.
 * Null for nothing.
 */
export function joinRouteFilters(levels: readonly RouteFilterConfigs[]): RouteFilterConfigs | null {
  const filled = levels.filter(({ size }) => size > 0);
  if (filled.length === 0) return null;
  if (filled.length === 1) return filled[0]!;
  const joined = new Map<string, RouteFilterConfig>();
  for (const level of filled) {
    for (const [name, config] of level) joined.set(name, joinedConfig(joined.get(name), config));
  }
  return joined;
}

function joinedConfig(outer: RouteFilterConfig | undefined, inner: RouteFilterConfig): RouteFilterConfig {
  if (outer?.kind !== 'cors' || inner.kind !== 'cors') return inner;
  return { kind: 'cors', cors: joinedPolicies(outer.cors, inner.cors) };
}

function compileRouteFilter(
  name: string,
  config: Any,
  path: string,
  problems: ProblemList,
): RouteFilterConfig | null {
  switch (config.typeUrl) {
    case TypeUrl.routeFilterConfig: {
      const wrapper = unpackConfig(config, TypeUrl.routeFilterConfig, path, problems);
      if (wrapper === null) return null;
      if (wrapper.disabled) return { kind: 'disabled' };
      if (wrapper.config?.typeUrl !== undefined && wrapper.config.typeUrl !== '')
        return compileRouteFilter(name, wrapper.config, `${path}.config`, problems);
      problems.invalid(path, 'needs a config, or disabled');
      return null;
    }
    case TypeUrl.httpRbacPerRoute: {
      const { rbac } = unpackConfig(config, TypeUrl.httpRbacPerRoute, path, problems) ?? {};
      if (rbac === undefined) return { kind: 'disabled' };
      return { kind: 'rbac', rbac: compileHttpRbac(rbac, `${path}.rbac`, problems) };
    }
    case TypeUrl.corsPolicy: {
      const policy = unpackConfig(config, TypeUrl.corsPolicy, path, problems);
      return policy === null ? null : { kind: 'cors', cors: compileCorsPolicy(policy, path, problems) };
    }
    case TypeUrl.httpFault: {
      const fault = unpackConfig(config, TypeUrl.httpFault, path, problems);
      return fault === null ? null : { kind: 'fault', fault: compileFault(fault, path, problems) };
    }
    case TypeUrl.httpRbac:
      problems.invalid(
        path,
        'is the type of the filter itself',
        'put it into the field rbac of RBACPerRoute',
      );
      return null;
    default:
      refuseExtension(name, config, path, problems);
      return null;
  }
}
