// Route tables that fields of a request choose from.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '@heddle/base';
import { TypeUrl } from '@heddle/xds';
import { scopeKeyOf } from '../routing/scope-key.ts';
import { testRequest } from '../routing/request-view-harness.ts';
import {
  type Manager,
  Harness,
  ads,
  assignment,
  edsCluster,
  listener,
  routes,
} from './config-store-harness.ts';

type Specifier = NonNullable<Manager['routeSpecifier']>;
type Scoped = (Specifier & { readonly $case: 'scopedRoutes' })['value'];

const scope = (key: string) => ({ fragments: [{ type: { $case: 'stringKey' as const, value: key } }] });
const byField = (name: string, index = 0) => ({
  fragments: [
    {
      type: {
        $case: 'headerValueExtractor' as const,
        value: { name, extractType: { $case: 'index' as const, value: index } },
      },
    },
  ],
});

/** A listener with one scope of its own and one by RDS. */
function scopedListener(changes: Scoped = {}) {
  const value: Scoped = {
    name: 'scopes',
    scopeKeyBuilder: byField('X-Scope'),
    rdsConfigSource: ads,
    configSpecifier: {
      $case: 'scopedRouteConfigurationsList',
      value: {
        scopedRouteConfigurations: [
          { name: 'own', key: scope('own'), routeConfiguration: routes('own', { '*': 'a' }) },
          { name: 'by RDS', key: scope('rds'), routeConfigurationName: 'r' },
        ],
      },
    },
    ...changes,
  };
  return listener('out', { routeSpecifier: { $case: 'scopedRoutes', value } });
}

test('a scope has its own routes, given with the listener or by RDS, and they are given up with it', () => {
  const harness = new Harness();
  const clusterOf = (key: string): string | undefined => {
    const request = testRequest({ headers: { 'x-scope': key } });
    return harness.routesOf('out')?.current?.match(request, systemRandom)?.clusterName;
  };
  for (const [index, name] of ['a', 'b'].entries()) {
    harness.accept(TypeUrl.cluster, name, edsCluster(name));
    harness.accept(TypeUrl.clusterLoadAssignment, name, assignment(name, index + 1));
  }
  harness.takeEvents();
  harness.accept(TypeUrl.listener, 'out', scopedListener());
  harness.store.commit(TypeUrl.listener);
  assert.deepEqual(harness.takeEvents(), ['+rds r', 'listener out']);
  assert.equal(harness.store.isWarm, false);
  assert.equal(clusterOf('own'), 'a');
  assert.equal(clusterOf('rds'), undefined);
  harness.accept(TypeUrl.routeConfiguration, 'r', routes('r', { '*': 'b' }));
  assert.equal(harness.store.isWarm, true);
  assert.equal(clusterOf('rds'), 'b');
  assert.equal(clusterOf('other'), undefined);
  harness.store.remove(TypeUrl.listener, 'out');
  assert.deepEqual(harness.takeEvents(), ['no listener out', '-rds r']);
});

test('scopes that can not be told apart or found are refused', () => {
  const problemOf = (changes: Scoped): string | null =>
    new Harness().apply(TypeUrl.listener, 'out', scopedListener(changes));
  const list = (...scopes: { readonly name: string; readonly key: ReturnType<typeof scope> }[]): Scoped => ({
    configSpecifier: {
      $case: 'scopedRouteConfigurationsList',
      value: {
        scopedRouteConfigurations: scopes.map(({ name, key }) => ({
          name,
          key,
          routeConfigurationName: 'r',
        })),
      },
    },
  });
  const one = { name: 'one', key: scope('k') };
  assert.match(
    problemOf(list(one, one)) ?? '',
    /scoped_route_configurations\[1\]\.key: is another scope's already/,
  );
  assert.match(problemOf(list()) ?? '', /scoped_route_configurations: must not be empty/);
  assert.match(problemOf({ scopeKeyBuilder: { fragments: [] } }) ?? '', /fragments: must not be empty/);
  assert.match(problemOf({ scopeKeyBuilder: byField('x', 1) }) ?? '', /index: must be 0 where there is no/);
  assert.match(problemOf({ scopeKeyBuilder: byField('a b') }) ?? '', /name: "a b" is no header name/);
  assert.match(problemOf({ name: '' }) ?? '', /scoped_routes\.name: must not be empty/);
});

test('a key is made of all its parts, each from the first line of its field', () => {
  const part = { name: 'x-a', elementSeparator: ';', index: -1, key: 'k', separator: '=' };
  const keyOf = (value: string | readonly string[]) =>
    scopeKeyOf(testRequest({ headers: { 'x-a': value, 'x-b': 'b' } }), [
      part,
      { ...part, name: 'x-b', elementSeparator: '', index: 0 },
    ]);
  assert.equal(keyOf('a=1;k=2=3;k=4'), '2=3\nb');
  assert.equal(keyOf('k=;a'), '\nb');
  assert.equal(keyOf(['a=1', 'k=2']), null);
  assert.equal(keyOf('kk=1'), null);
});
