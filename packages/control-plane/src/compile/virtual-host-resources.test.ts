import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileMesh, parseManifests, type MeshModel } from '@heddle/model';
import { TypeUrl, unpackAny, type EncodedResource } from '@heddle/xds';
import { Resource } from '@heddle/xds/api/envoy/service/discovery/v3/discovery.ts';
import { anyone } from '../testing/any-client.ts';
import { RouteResources } from './route-resources.ts';

const collection = 'http-proxy|default';
const reviews = `${collection}/reviews.default.svc.cluster.local:9080`;

function model(names: readonly string[], yaml = ''): MeshModel {
  const { objects, problems } = parseManifests([{ name: 'x', text: yaml }], { namespace: 'default' });
  assert.deepEqual(problems, []);
  return compileMesh({
    objects: objects.map(({ object }, index) => ({ object, createdRevision: index + 1 })),
    services: names.map((name) => ({
      name,
      namespace: 'default',
      host: `${name}.default.svc.cluster.local`,
      ports: [{ number: 9080, protocol: 'http' }],
    })),
  });
}

const client = anyone();

function list(resources: RouteResources, name = collection, namespace = 'default'): string[] {
  return [...resources.listVirtualHosts(name, anyone(namespace))];
}

function decode<U extends typeof TypeUrl.virtualHost | typeof TypeUrl.routeConfiguration>(
  typeUrl: U,
  resource: EncodedResource | undefined,
) {
  assert.ok(resource);
  const unpacked = unpackAny(Resource.decode(resource.bytes).resource!, typeUrl);
  return unpacked.ok ? unpacked.value : assert.fail(unpacked.error);
}

describe('virtual hosts by themselves', () => {
  it('are those that the whole route configuration has, the one for everything else last', () => {
    const resources = new RouteResources(model(['reviews', 'ratings']));
    const whole = decode(TypeUrl.routeConfiguration, resources.get(collection, client)).virtualHosts;
    const single = list(resources).map((name) =>
      decode(TypeUrl.virtualHost, resources.virtualHost(name, client)),
    );
    assert.deepEqual(single, whole);
    assert.equal(list(resources).at(-1), `${collection}/allow_any`);
    const frame = decode(TypeUrl.routeConfiguration, resources.frame(collection, 'default'));
    assert.deepEqual(
      [frame.virtualHosts, frame.vhds?.configSource?.configSourceSpecifier?.$case],
      [[], 'ads'],
    );
  });

  it('are given to proxies of the namespace only, and not for single dependencies', () => {
    const resources = new RouteResources(model(['reviews']));
    const upstream = 'upstream|reviews.default.svc.cluster.local|9080|default';
    assert.deepEqual(list(resources, collection, 'other'), []);
    assert.deepEqual(list(resources, upstream), []);
    assert.equal(resources.frame(collection, 'other'), undefined);
    assert.equal(resources.frame(upstream, 'default'), undefined);
  });

  it('change one by one: what is new, gone or different is named, everything else is the same object', () => {
    const resources = new RouteResources(model(['reviews', 'ratings', 'old']));
    const names = list(resources);
    const before = new Map(names.map((name) => [name, resources.virtualHost(name, client)]));
    const yaml = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: x}
spec:
  hosts: [reviews]
  http: [{timeout: 3s, route: [{destination: {host: reviews}}]}]`;
    const changed = resources.setModel(model(['reviews', 'ratings', 'new'], yaml));
    assert.deepEqual([...changed].toSorted(), [
      `${collection}/new.default.svc.cluster.local:9080`,
      `${collection}/old.default.svc.cluster.local:9080`,
      reviews,
    ]);
    assert.equal(
      resources.virtualHost(`${collection}/old.default.svc.cluster.local:9080`, client),
      undefined,
    );
    for (const name of list(resources))
      assert.equal(resources.virtualHost(name, client) === before.get(name), !changed.has(name), name);
  });

  it('are those of their client’s labels, and all are looked at again where other labels matter than before', () => {
    const resources = new RouteResources(model(['reviews']));
    const v1 = anyone('default', { version: 'v1' });
    const v2 = anyone('default', { version: 'v2' });
    const names = [...resources.listVirtualHosts(collection, v2)];
    assert.equal(resources.virtualHost(reviews, v1), resources.virtualHost(reviews, v2));
    const yaml = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: x}
spec:
  hosts: [reviews]
  http: [{match: [{sourceLabels: {version: v1}}], timeout: 3s, route: [{destination: {host: reviews}}]}]`;
    const before = resources.virtualHost(reviews, v2);
    assert.deepEqual([...resources.setModel(model(['reviews'], yaml))].toSorted(), names.toSorted());
    assert.equal(resources.virtualHost(reviews, v2)?.version, before?.version);
    assert.notEqual(resources.virtualHost(reviews, v1)?.version, before?.version);
  });

  it('cost nothing where nobody has asked for them', () => {
    const resources = new RouteResources(model(['reviews']));
    assert.deepEqual([...resources.setModel(model(['ratings']))], []);
  });
});
