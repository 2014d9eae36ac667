import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileMesh, parseManifests, type MeshModel } from '@heddle/model';
import { TypeUrl, unpackAny } from '@heddle/xds';
import { Resource } from '@heddle/xds/api/envoy/service/discovery/v3/discovery.ts';
import type { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import type { Route } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { anyone } from '../testing/any-client.ts';
import { RouteResources } from './route-resources.ts';

function service(name: string, namespace: string, ...ports: number[]) {
  const host = `${name}.${namespace}.svc.cluster.local`;
  return { name, namespace, host, ports: ports.map((number) => ({ number, protocol: 'http' })) };
}

const services = [
  service('reviews', 'default', 9080),
  service('web', 'default', 80, 8080),
  service('web', 'other', 80),
];

function model(yaml = ''): MeshModel {
  const { objects, problems } = parseManifests([{ name: 'x', text: yaml }], { namespace: 'default' });
  assert.deepEqual(problems, []);
  return compileMesh({
    objects: objects.map(({ object }, index) => ({ object, createdRevision: index + 1 })),
    services,
  });
}

function routesOf(resources: RouteResources, name: string): RouteConfiguration {
  const resource = resources.get(name, anyone(name.split('|').at(-1))) ?? assert.fail(`no ${name}`);
  const { resource: any, name: sent, version } = Resource.decode(resource.bytes);
  assert.deepEqual([sent, version], [name, resource.version]);
  const unpacked = unpackAny(any ?? assert.fail(), TypeUrl.routeConfiguration);
  return unpacked.ok ? unpacked.value : assert.fail(unpacked.error);
}

function domains(yaml: string, namespace: string): Record<string, string[]> {
  const { virtualHosts } = routesOf(new RouteResources(model(yaml)), `http-proxy|${namespace}`);
  return Object.fromEntries(virtualHosts.map((host) => [host.name, host.domains]));
}

function upstreamRoutes(yaml: string): Route[] {
  const name = 'upstream|reviews.default.svc.cluster.local|9080|default';
  const { virtualHosts } = routesOf(new RouteResources(model(yaml)), name);
  assert.deepEqual(
    virtualHosts.map((host) => host.domains),
    [['*']],
  );
  return virtualHosts[0]?.routes ?? [];
}

function virtualService(http: string, hosts = '[reviews]', name = 'x'): string {
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}}
spec:
  hosts: ${hosts}
  http:
${http}`;
}

describe('routes of the proxy listener', () => {
  it('knows a service by every name with its port, without a port where it is 80', () => {
    const found = domains('', 'default');
    assert.deepEqual(found['reviews.default.svc.cluster.local:9080'], [
      'reviews.default.svc.cluster.local:9080',
      'reviews.default.svc:9080',
      'reviews.default:9080',
      'reviews:9080',
    ]);
    assert.deepEqual(found['web.default.svc.cluster.local:80'], [
      'web.default.svc.cluster.local:80',
      'web.default.svc.cluster.local',
      'web.default.svc:80',
      'web.default.svc',
      'web.default:80',
      'web.default',
      'web:80',
      'web',
    ]);
  });

  it('means the service of the own namespace by a short name', () => {
    assert.ok(domains('', 'other')['web.other.svc.cluster.local:80']?.includes('web'));
    assert.ok(!domains('', 'other')['web.default.svc.cluster.local:80']?.includes('web'));
    assert.ok(!Object.values(domains('', 'third')).some((names) => names.includes('web')));
  });

  it('lets every other authority pass', () => {
    const { virtualHosts } = routesOf(new RouteResources(model()), 'http-proxy|default');
    const last = virtualHosts.at(-1);
    assert.deepEqual(last?.domains, ['*']);
    const action = last.routes[0]?.action;
    assert.ok(action?.$case === 'route' && action.value.clusterSpecifier?.value === 'PassthroughCluster');
  });

  it('lets every request be tried three times where no connection can be made', () => {
    const { virtualHosts } = routesOf(new RouteResources(model()), 'http-proxy|default');
    for (const { retryPolicy } of virtualHosts) {
      assert.equal(retryPolicy?.retryOn, 'connect-failure');
      assert.equal(retryPolicy.numRetries, 2);
    }
  });

  it('names no authority twice, whatever hosts a virtual service names', () => {
    const yaml = virtualService('  - route: [{destination: {host: reviews}}]', '[web.default, example.com]');
    const found = domains(yaml, 'default');
    const all = Object.values(found).flat();
    assert.equal(new Set(all).size, all.length);
    assert.deepEqual(found['example.com:80'], ['example.com:80', 'example.com']);
    assert.ok(found['web.default.svc.cluster.local:80']?.includes('web.default'));
  });
});

describe('routes of a service', () => {
  it('sends everything to the service where nobody wrote rules, without a time limit', () => {
    const [route, ...rest] = upstreamRoutes('');
    assert.deepEqual(rest, []);
    assert.ok(route?.action?.$case === 'route');
    const { clusterSpecifier, timeout } = route.action.value;
    assert.deepEqual(clusterSpecifier, {
      $case: 'cluster',
      value: 'outbound|9080||reviews.default.svc.cluster.local',
    });
    assert.deepEqual([timeout?.seconds, timeout?.nanos], [0, 0]);
  });

  it('keeps the order of rules, their matches and their weights', () => {
    const [byHeader, weighted, ...rest] = upstreamRoutes(
      virtualService(`
  - match:
    - headers: {end-user: {exact: jason}}
      uri: {prefix: /reviews}
      method: {exact: GET}
      queryParams: {debug: {exact: "1"}}
    route: [{destination: {host: reviews, subset: v2}}]
  - route:
    - {destination: {host: reviews, subset: v1}, weight: 80}
    - {destination: {host: reviews, subset: v3}, weight: 20}`),
    );
    assert.deepEqual(rest, []);
    const match = byHeader?.match;
    assert.deepEqual(match?.pathSpecifier, { $case: 'prefix', value: '/reviews' });
    assert.deepEqual(
      match.headers.map(({ name, headerMatchSpecifier }) => [
        name,
        headerMatchSpecifier?.$case === 'stringMatch' && headerMatchSpecifier.value.matchPattern?.value,
      ]),
      [
        [':method', 'GET'],
        ['end-user', 'jason'],
      ],
    );
    assert.equal(match.queryParameters[0]?.name, 'debug');
    assert.ok(weighted?.action?.$case === 'route');
    const specifier = weighted.action.value.clusterSpecifier;
    assert.ok(specifier?.$case === 'weightedClusters');
    assert.deepEqual(
      specifier.value.clusters.map(({ name, weight }) => [name, weight]),
      [
        ['outbound|9080|v1|reviews.default.svc.cluster.local', 80],
        ['outbound|9080|v3|reviews.default.svc.cluster.local', 20],
      ],
    );
  });

  it('lets a request without a header match where that header must not have a value', () => {
    const [route] = upstreamRoutes(
      virtualService(`
  - match: [{withoutHeaders: {end-user: {exact: jason}}}]
    route: [{destination: {host: reviews}}]`),
    );
    const [header] = route?.match?.headers ?? [];
    assert.deepEqual([header?.invertMatch, header?.treatMissingHeaderAsEmpty], [true, true]);
  });

  it('answers for a service that nobody knows with a cluster that is not there', () => {
    const { virtualHosts } = routesOf(
      new RouteResources(model()),
      'upstream|missing.default.svc.cluster.local|80|default',
    );
    const action = virtualHosts[0]?.routes[0]?.action;
    assert.ok(action?.$case === 'route');
    assert.equal(action.value.clusterSpecifier?.value, 'outbound|80||missing.default.svc.cluster.local');
  });

  it('makes nothing of names that are not its own', () => {
    const resources = new RouteResources(model());
    const client = anyone();
    for (const name of [
      '9080',
      'http-proxy|',
      'http-proxy|a|b',
      'upstream|a|x|default',
      'upstream|a|80|',
      'upstream',
    ])
      assert.equal(resources.get(name, client), undefined, name);
  });

  it('keeps the object of a configuration that a change leaves as it was', () => {
    const resources = new RouteResources(model());
    const client = anyone();
    const before = resources.get('http-proxy|default', client);
    resources.setModel(model());
    assert.equal(resources.get('http-proxy|default', client), before);
    resources.setModel(model(virtualService('  - route: [{destination: {host: web}}]')));
    assert.notEqual(resources.get('http-proxy|default', client)?.version, before?.version);
  });
});
