// What the control plane makes of objects that use every field, as the sidecar's own compiler sees it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileMesh, parseManifests, type MeshModel } from '@heddle/model';
import { TypeUrl, unpackAny } from '@heddle/xds';
import { Resource } from '@heddle/xds/api/envoy/service/discovery/v3/discovery.ts';
import { RouteResources } from '@heddle/control-plane/compile/route-resources.ts';
import { compileRouteTable } from '@heddle/proxy/routing/compile-route-table.ts';
import { everyDestinationRule, everyService, everyVirtualService } from '../support/every-field.ts';

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

test('a sidecar takes the routes of a VirtualService with every field', () => {
  const resource = new RouteResources(model(everyVirtualService + '---' + everyDestinationRule)).get(
    'http-proxy|default',
    { app: 'page' },
  );
  const any = Resource.decode(resource?.bytes ?? assert.fail()).resource ?? assert.fail();
  const message = unpackAny(any, TypeUrl.routeConfiguration);
  assert.ok(message.ok);
  const host = message.value.virtualHosts.find(({ name }) => name.startsWith('reviews.'));
  assert.equal(host?.routes.length, 12);
  const table = compileRouteTable(message.value, (name) => name);
  assert.deepEqual(table.ok ? [] : table.error, []);
});
