// What the control plane makes of objects that use every field, as the sidecar's own compiler sees it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileMesh, parseManifests, viewOf, type MeshModel } from '@heddle/model';
import { decodeMessage, TypeUrl, unpackAny } from '@heddle/xds';
import { Resource } from '@heddle/xds/api/envoy/service/discovery/v3/discovery.ts';
import { RouteResources } from '@heddle/control-plane/compile/route-resources.ts';
import { outboundCluster, planClusters } from '@heddle/control-plane/compile/clusters.ts';
import { compileCluster } from '@heddle/proxy/config/compile-cluster.ts';
import { ProblemList } from '@heddle/proxy/config/problem-list.ts';
import { ScopeView } from '@heddle/control-plane/compile/scope-view.ts';
import { compileRouteTable } from '@heddle/proxy/routing/compile-route-table.ts';
import {
  everyDestinationRule,
  everyGatewayRoute,
  everyService,
  everyVirtualService,
} from '../support/every-field.ts';

function model(text: string): MeshModel {
  const { objects, problems } = parseManifests([{ name: 'x', text }], { namespace: 'default' });
  assert.deepEqual(
    problems.filter(({ severity }) => severity === 'error'),
    [],
  );
  return compileMesh({
    objects: objects.map(({ object }, index) => ({ object, createdRevision: index + 1 })),
    services: everyService.map((name) => ({
      name,
      namespace: 'default',
      host: `${name}.default.svc.cluster.local`,
      ports: [{ number: 9080, protocol: 'http' }],
    })),
  });
}

test('a sidecar takes the routes of a VirtualService, an HTTPRoute and a GRPCRoute with every field', () => {
  const mesh = model([everyVirtualService, everyDestinationRule, everyGatewayRoute].join('---'));
  const labels = { app: 'page' };
  const view = new ScopeView(mesh.scoping.resolve('default', labels), mesh);
  const resource = new RouteResources(mesh).get('http-proxy|default', { namespace: 'default', labels, view });
  const any = Resource.decode(resource?.bytes ?? assert.fail()).resource ?? assert.fail();
  const message = unpackAny(any, TypeUrl.routeConfiguration);
  assert.ok(message.ok);
  const host = message.value.virtualHosts.find(({ name }) => name.startsWith('reviews.'));
  assert.equal(host?.routes.length, 12);
  const attached = message.value.virtualHosts.find(({ name }) => name.startsWith('ratings.'));
  assert.equal(attached?.routes.length, 10);
  const table = compileRouteTable(message.value, (name) => name);
  assert.deepEqual(table.ok ? [] : table.error, []);
});

test('a sidecar takes the clusters of a DestinationRule with every field', () => {
  const name = 'reviews.default.svc.cluster.local';
  const host = model(everyDestinationRule).hosts.get(name) ?? assert.fail();
  const plans = planClusters(name, viewOf(host, 'default'));
  assert.deepEqual(
    plans.map(({ subset, policy }) => [subset, policy === undefined]),
    [
      ['', false],
      ['v1', false],
      ['v2', false],
    ],
  );
  for (const plan of plans) {
    const decoded = decodeMessage(TypeUrl.cluster, outboundCluster(plan, name, []));
    assert.ok(decoded.ok);
    const problems = new ProblemList();
    compileCluster(decoded.value.message, problems);
    assert.deepEqual(problems.problems, []);
  }
});
