import type { ScopedRouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/scoped_route.ts';
import type {
  ScopedRoutes,
  ScopedRoutes_ScopeKeyBuilder_FragmentBuilder as FragmentBuilder,
} from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { isHeaderName } from '../routing/header-syntax.ts';
import { type KeyFragment, scopeKey } from '../routing/scope-key.ts';
import type { RouteScope, RouteSource } from './compile-http.ts';
import { checkConfigSource } from './config-source.ts';
import type { ProblemList } from './problem-list.ts';

/** Compiles `scoped_routes` with a list of scopes; null with problems noted. */
export function compileScopedRoutes(
  message: ScopedRoutes,
  path: string,
  problems: ProblemList,
): RouteSource | null {
  const { name, scopeKeyBuilder, configSpecifier } = message;
  if (name === '') problems.invalid(`${path}.name`, 'must not be empty');
  const builders = scopeKeyBuilder?.fragments ?? [];
  if (builders.length === 0) problems.invalid(`${path}.scope_key_builder.fragments`, 'must not be empty');
  const fragments = builders.flatMap(
    (builder, index) =>
      compileFragment(builder, `${path}.scope_key_builder.fragments[${index}]`, problems) ?? [],
  );
  if (configSpecifier === undefined) {
    problems.invalid(path, 'needs scoped_route_configurations_list');
    return null;
  }
  const place = `${path}.scoped_route_configurations_list.scoped_route_configurations`;
  const keys = new Set<string>();
  const scopes: RouteScope[] = [];
  for (const [index, scope] of configSpecifier.value.scopedRouteConfigurations.entries()) {
    const compiled = compileScope(scope, message, `${place}[${index}]`, problems);
    if (compiled === null) continue;
    if (keys.has(compiled.key)) problems.invalid(`${place}[${index}].key`, "is another scope's already");
    keys.add(compiled.key);
    scopes.push(compiled);
  }
  if (scopes.length === 0 && problems.isEmpty) problems.invalid(place, 'must not be empty');
  return { kind: 'scoped', name, fragments, scopes };
}

function compileFragment(builder: FragmentBuilder, path: string, problems: ProblemList): KeyFragment | null {
  const place = `${path}.header_value_extractor`;
  if (builder.type === undefined) {
    problems.invalid(path, 'needs header_value_extractor');
    return null;
  }
  const { name, elementSeparator, extractType } = builder.type.value;
  if (!isHeaderName(name)) problems.invalid(`${place}.name`, `"${name}" is no header name`);
  const common = { name: name.toLowerCase(), elementSeparator, key: '', separator: '', index: -1 };
  if (extractType?.$case === 'element') {
    const { key, separator } = extractType.value;
    if (key === '') problems.invalid(`${place}.element.key`, 'must not be empty');
    if (separator === '') problems.invalid(`${place}.element.separator`, 'must not be empty');
    return { ...common, key, separator };
  }
  if (extractType === undefined) {
    problems.invalid(place, 'needs one of index, element');
    return null;
  }
  if (extractType.value > 0 && elementSeparator === '')
    problems.invalid(`${place}.index`, 'must be 0 where there is no element_separator');
  return { ...common, index: extractType.value };
}

function compileScope(
  scope: ScopedRouteConfiguration,
  { rdsConfigSource }: ScopedRoutes,
  path: string,
  problems: ProblemList,
): RouteScope | null {
  const { name, key, routeConfigurationName, routeConfiguration } = scope;
  if (name === '') problems.invalid(`${path}.name`, 'must not be empty');
  const parts = key?.fragments ?? [];
  if (parts.length === 0) problems.invalid(`${path}.key.fragments`, 'must not be empty');
  const joined = scopeKey(parts.map(({ type }) => type?.value ?? ''));
  if (routeConfiguration !== undefined) {
    if (routeConfigurationName !== '')
      problems.invalid(`${path}.route_configuration`, 'excludes route_configuration_name');
    const source = {
      kind: 'inline',
      config: routeConfiguration,
      path: `${path}.route_configuration`,
    } as const;
    return { key: joined, source };
  }
  if (routeConfigurationName === '') {
    problems.invalid(path, 'needs one of route_configuration_name, route_configuration');
    return null;
  }
  checkConfigSource(rdsConfigSource, `${path}.rds_config_source`, problems);
  return { key: joined, source: { kind: 'rds', name: routeConfigurationName } };
}
