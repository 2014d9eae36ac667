import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem, systemRandom } from '@heddle/base';
import { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import { compileRouteTable } from './compile-route-table.ts';
import { HeaderAction, type HeaderMutation } from './header-mutation.ts';
import { testRequest } from './request-view-harness.ts';
import type { RouteMatch } from './route-match.ts';

type ConfigInput = Parameters<typeof RouteConfiguration.fromPartial>[0];
type RouteInput = NonNullable<NonNullable<ConfigInput['virtualHosts']>[number]['routes']>[number];

/** The outcome of the only route, with these parts of route, virtual host and route configuration. */
function outcome(route: RouteInput, host: object = {}, config: ConfigInput = {}): RouteMatch<string> {
  const compiled = compileRouteTable(
    RouteConfiguration.fromPartial({
      virtualHosts: [
        {
          name: 'h',
          domains: ['*'],
          routes: [
            {
              match: { pathSpecifier: { $case: 'prefix', value: '/' } },
              action: { $case: 'route', value: { clusterSpecifier: { $case: 'cluster', value: 'c' } } },
              ...route,
            },
          ],
          ...host,
        },
      ],
      ...config,
    }),
    (name) => name,
  );
  assert.ok(compiled.ok, compiled.ok ? '' : compiled.error.map(formatProblem).join('\n'));
  return compiled.value.match(testRequest(), systemRandom)!;
}

const add = (key: string, value: string, appendAction: 0 | 1 | 2 | 3 = 0) => ({
  header: { key, value },
  appendAction,
});
const overwrite = (value: string) => add('X-A', value, 2);
const brief = (mutations: readonly HeaderMutation[] | null) =>
  mutations?.map(({ action, name, field, value }) => [action, name, field?.value ?? value]);

test('header changes apply from the route outwards, removals first', () => {
  const changes = (innermost: boolean) =>
    brief(
      outcome(
        { requestHeadersToAdd: [overwrite('route 100%%')], requestHeadersToRemove: ['X-B'] },
        { requestHeadersToAdd: [overwrite('host')] },
        { mostSpecificHeaderMutationsWins: innermost, requestHeadersToAdd: [overwrite('table')] },
      ).requestHeaders,
    );
  const route = [
    [HeaderAction.remove, 'x-b', -1],
    [HeaderAction.overwrite, 'x-a', 'route 100%'],
  ];
  const outer = (value: string) => [HeaderAction.overwrite, 'x-a', value];
  assert.deepEqual(changes(false), [...route, outer('host'), outer('table')]);
  assert.deepEqual(changes(true), [outer('table'), outer('host'), ...route]);
  assert.equal(outcome({}).requestHeaders, null);
});

test('what overwrites comes before what is added', () => {
  const changes = brief(
    outcome({ requestHeadersToAdd: [add('a', '1'), add('b', '2', 1), add('a', '3', 2), add('b', '4', 3)] })
      .requestHeaders,
  );
  assert.deepEqual(changes, [
    [HeaderAction.overwrite, 'a', '3'],
    [HeaderAction.overwriteIfExists, 'b', '4'],
    [HeaderAction.append, 'a', '1'],
    [HeaderAction.addIfAbsent, 'b', '2'],
  ]);
});

test('only what differs from request to request is left to be worked out', () => {
  const changes = outcome({
    responseHeadersToAdd: [
      add('constant', '100%%'),
      add('first', '%PROTOCOL%'),
      add('second', 'x %RESPONSE_CODE%', 2),
    ],
  }).responseHeaders!;
  assert.deepEqual(brief(changes), [
    [HeaderAction.overwrite, 'second', 0],
    [HeaderAction.append, 'constant', '100%'],
    [HeaderAction.append, 'first', 1],
  ]);
  assert.deepEqual(
    changes.map(({ formats }) => formats?.length ?? 0),
    [2, 0, 0],
  );
});

test('a value that is always empty changes nothing, unless it is to be kept', () => {
  const empty = (keepEmptyValue: boolean) => [
    { ...add('a', ''), keepEmptyValue },
    { ...add('b', '%UPSTREAM_HOST%'), keepEmptyValue },
  ];
  assert.equal(outcome({ requestHeadersToAdd: empty(false) }).requestHeaders, null);
  assert.deepEqual(brief(outcome({ requestHeadersToAdd: empty(true) }).requestHeaders), [
    [HeaderAction.append, 'a', ''],
    [HeaderAction.append, 'b', ''],
  ]);
});
