import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Problem, type Random, type Result, systemRandom } from '@heddle/base';
import { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import { compileRouteTable } from './compile-route-table.ts';
import { rewritePath } from './path-rewrite.ts';
import { testRequest } from './request-view-harness.ts';
import type { RouteTable } from './route-table.ts';

type ConfigInput = Parameters<typeof RouteConfiguration.fromPartial>[0];
type RouteInput = NonNullable<NonNullable<ConfigInput['virtualHosts']>[number]['routes']>[number];

function compile(routes: RouteInput[], config: ConfigInput = {}): Result<RouteTable<string>, Problem[]> {
  const virtualHosts = [{ name: 'h', domains: ['*'], routes }];
  return compileRouteTable(RouteConfiguration.fromPartial({ virtualHosts, ...config }), (name) => name);
}

function table(routes: RouteInput[], config: ConfigInput = {}): RouteTable<string> {
  const compiled = compile(routes, config);
  assert.ok(compiled.ok);
  return compiled.value;
}

const to = (cluster: string, match: RouteInput['match']): RouteInput => ({
  match,
  action: {
    $case: 'route',
    value: { clusterSpecifier: { $case: 'cluster', value: cluster }, prefixRewrite: '/new' },
  },
});

const routes = [
  to('path', { pathSpecifier: { $case: 'path', value: '/exact' } }),
  to('prefix', { pathSpecifier: { $case: 'prefix', value: '/pre' } }),
  to('separated', { pathSpecifier: { $case: 'pathSeparatedPrefix', value: '/part' } }),
  to('regex', { pathSpecifier: { $case: 'safeRegex', value: { regex: '/re[0-9]' } } }),
];
// With ignore_path_parameters_in_path_matching: the cluster, and what becomes of the path. As Envoy 1.40 does it.
const withParameters: readonly (readonly [string, string, string])[] = [
  ['/exact;a=b?c', 'path', '/new;a=b?c'],
  ['/pre;a/x', 'prefix', '/new;a/x'],
  ['/part;a/b', 'separated', '/new;a/b'],
  ['/re1;x?;', 'regex', '/new?;'],
];
for (const [path, cluster, rewritten] of withParameters) {
  test(`parameters are ignored in ${path} where that is asked for`, () => {
    const found = table(routes, { ignorePathParametersInPathMatching: true }).match(
      testRequest({ path }),
      systemRandom,
    );
    assert.equal(found?.cluster, cluster);
    assert.equal(rewritePath(found.pathRewrite!, path), rewritten);
    const strict = table(routes).match(testRequest({ path }), systemRandom);
    assert.equal(strict?.cluster ?? null, cluster === 'prefix' ? 'prefix' : null);
  });
}

const weighted = (headerName: string): RouteInput => ({
  match: { pathSpecifier: { $case: 'prefix', value: '/' } },
  action: {
    $case: 'route',
    value: {
      clusterSpecifier: {
        $case: 'weightedClusters',
        value: {
          clusters: [
            { name: 'a', weight: 2 },
            { name: 'b', weight: 3 },
          ],
          randomValueSpecifier: { $case: 'headerName', value: headerName },
        },
      },
    },
  },
});

test("a request's own number chooses among weighted clusters", () => {
  const random: Random = { uint32: () => 4, float: () => 0 };
  const chosen = (value?: string): string | undefined =>
    table([weighted('X-Pick')]).match(
      testRequest(value === undefined ? {} : { headers: { 'x-pick': value } }),
      random,
    )?.cluster ?? undefined;
  assert.deepEqual(['0', '1', '2', '4', '5', '6', '18446744073709551615'].map(chosen), [
    ...['a', 'a', 'b', 'b', 'a', 'a', 'a'],
  ]);
  // What is no number leaves it to chance, which is 4 here.
  assert.deepEqual(['', '-1', '1x', '1, 1', undefined].map(chosen), ['b', 'b', 'b', 'b', 'b']);
});

test('the field of that number needs a name that is one', () => {
  const compiled = compile([weighted('x pick')]);
  assert.ok(!compiled.ok);
  assert.equal(
    `${compiled.error[0]?.path}: ${compiled.error[0]?.message}`,
    'virtual_hosts[0].routes[0].route.weighted_clusters.header_name: "x pick" is no header name',
  );
});
