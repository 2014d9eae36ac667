import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemRandom } from '@heddle/base';
import { packAny, TypeUrl } from '@heddle/xds';
import { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import type { Any } from '@heddle/xds/api/google/protobuf/any.ts';
import { compileRouteTable } from './compile-route-table.ts';
import { testRequest } from './request-view-harness.ts';

const own = (statPrefix: string): Any =>
  packAny(TypeUrl.httpRbacPerRoute, { rbac: { rulesStatPrefix: statPrefix } });
const disabled = packAny(TypeUrl.routeFilterConfig, { disabled: true });
const prefix = { pathSpecifier: { $case: 'prefix', value: '/' } } as const;

/** What each level says to filters. */
interface Levels {
  readonly configuration?: Record<string, Any>;
  readonly host?: Record<string, Any>;
  readonly route?: Record<string, Any>;
  readonly cluster?: Record<string, Any>;
}

function compile({ configuration = {}, host = {}, route = {}, cluster = {} }: Levels) {
  const clusters = [{ name: 'c', weight: 1, typedPerFilterConfig: cluster }];
  return compileRouteTable(
    RouteConfiguration.fromPartial({
      typedPerFilterConfig: configuration,
      virtualHosts: [
        {
          name: 'h',
          domains: ['*'],
          typedPerFilterConfig: host,
          routes: [
            {
              match: prefix,
              typedPerFilterConfig: route,
              action: {
                $case: 'route',
                value: { clusterSpecifier: { $case: 'weightedClusters', value: { clusters } } },
              },
            },
          ],
        },
      ],
    }),
    (name) => name,
  );
}

/** `name=prefix` of each filter that the route has something to say to, or what is wrong. */
function said(levels: Levels): string[] | null {
  const table = compile(levels);
  if (!table.ok) return table.error.map(({ path, message }) => `${path}: ${message}`);
  const { filters } = table.value.match(testRequest(), systemRandom)!;
  if (filters === null) return null;
  return [...filters].map(
    ([name, config]) => `${name}=${config.kind === 'rbac' ? config.rbac.statPrefix : 'off'}`,
  );
}

describe('what is said to a filter', () => {
  test('is nothing, as nearly always', () => {
    assert.equal(said({}), null);
  });

  test('is what the innermost level says', () => {
    const configuration = { a: own('1') };
    const host = { a: own('2'), b: own('2') };
    assert.deepEqual(said({ configuration }), ['a=1']);
    assert.deepEqual(said({ configuration, host }), ['a=2', 'b=2']);
    assert.deepEqual(said({ configuration, host, route: { a: own('3') } }), ['a=3', 'b=2']);
    assert.deepEqual(
      said({ configuration, host, route: { a: own('3') }, cluster: { a: own('4'), c: own('4') } }),
      ['a=4', 'b=2', 'c=4'],
    );
  });

  test('may be that it is off, and on again further in', () => {
    assert.deepEqual(said({ host: { a: disabled } }), ['a=off']);
    assert.deepEqual(said({ host: { a: disabled }, route: { a: own('3') } }), ['a=3']);
    assert.deepEqual(said({ host: { a: own('2') }, route: { a: disabled } }), ['a=off']);
    assert.deepEqual(said({ host: { a: packAny(TypeUrl.httpRbacPerRoute, {}) } }), ['a=off']);
  });

  test('may be wrapped', () => {
    const wrapped = packAny(TypeUrl.routeFilterConfig, { config: own('3') });
    assert.deepEqual(said({ route: { a: wrapped } }), ['a=3']);
  });
});

const place = 'virtual_hosts[0].routes[0].typed_per_filter_config[a]';
const refusals: readonly (readonly [string, Any])[] = [
  [`${place}: is the type of the filter itself`, packAny(TypeUrl.httpRbac, {})],
  [`${place}: needs a config, or disabled`, packAny(TypeUrl.routeFilterConfig, {})],
  [
    `${place}: the extension a (envoy.extensions.filters.http.router.v3.Router) is not supported yet`,
    packAny(TypeUrl.router, {}),
  ],
  [
    `${place}.config: the extension a (envoy.extensions.filters.http.router.v3.Router) is not supported yet`,
    packAny(TypeUrl.routeFilterConfig, { config: packAny(TypeUrl.router, {}) }),
  ],
  [
    `${place}.rbac.rules.policies[p].permissions: must not be empty`,
    packAny(TypeUrl.httpRbacPerRoute, {
      rbac: { rules: { policies: { p: { principals: [{ identifier: { $case: 'any', value: true } }] } } } },
    }),
  ],
];
for (const [expected, config] of refusals) {
  test(`refuses ${expected}`, () => assert.deepEqual(said({ route: { a: config } }), [expected]));
}

test('is refused at every level', () => {
  const bad = { a: packAny(TypeUrl.router, {}) };
  const places = said({ configuration: bad, host: bad, route: bad, cluster: bad })!.map(
    (text) => text.split(': ')[0],
  );
  assert.deepEqual(places, [
    'typed_per_filter_config[a]',
    'virtual_hosts[0].typed_per_filter_config[a]',
    'virtual_hosts[0].routes[0].typed_per_filter_config[a]',
    'virtual_hosts[0].routes[0].route.weighted_clusters.clusters[0].typed_per_filter_config[a]',
  ]);
});
