import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MeshModel } from '@heddle/model';
import { TypeUrl } from '@heddle/xds';
import { makeMeshWorld } from '../../testing/mesh-world.ts';
import type { FilterFactory } from '../authorization/workload-filters.ts';
import type { SidecarNode } from '../node-metadata.ts';
import type { InboundSecurity } from '../own-listeners.ts';
import { GrpcResources } from './grpc-resources.ts';

const cluster = 'outbound|9080||reviews.default.svc.cluster.local';
const routes = 'upstream|reviews.default.svc.cluster.local|9080|default';
const server = 'grpc/server?xds.resource.listening_address=0.0.0.0:50051';
const object = (kind: string, spec: object, group = 'networking'): string =>
  JSON.stringify({ apiVersion: `${group}.istio.io/v1`, kind, metadata: { name: 'x' }, spec });

describe('a gRPC client at the control plane', () => {
  it('gets what its target names, and learns of a service that comes and goes', async () => {
    const world = await makeMeshWorld();
    const client = world.connect({ instance: 'c-1', service: 'c', metadata: { GENERATOR: 'grpc' } });
    const targets = ['reviews:9080', 'reviews.default:9080', 'reviews.default.svc:9080'];
    client.client.subscribe(TypeUrl.listener, [...targets, 'reviews:9081', 'reviews.other:9080', server]);
    await world.settle();
    assert.deepEqual(client.names(TypeUrl.listener), [server]);
    assert.deepEqual(client.names(TypeUrl.cluster), [], 'nothing that it has not named');
    const lease = world.connect({ instance: 'reviews-1', service: 'reviews' }).publish();
    await world.settle();
    assert.deepEqual(client.names(TypeUrl.listener), [server, ...targets].sort());
    const api = client.get(TypeUrl.listener, 'reviews:9080')._unknownFields?.[(19 << 3) | 2]?.[0];
    assert.ok(Buffer.from(api ?? []).includes(routes));
    client.client.subscribe(TypeUrl.routeConfiguration, [routes]);
    client.client.subscribe(TypeUrl.cluster, [cluster]);
    await world.settle();
    assert.equal(client.get(TypeUrl.routeConfiguration, routes).virtualHosts.length, 1);
    assert.deepEqual(client.endpoints(cluster), ['127.0.0.1:20001']);
    assert.equal(client.get(TypeUrl.clusterLoadAssignment, cluster).endpoints[0]?.loadBalancingWeight, 1);
    lease.send({ $case: 'withdraw', value: {} });
    await world.settle();
    assert.deepEqual(client.endpoints(cluster), []);
  });

  it('is not sent what it has no part for, which stands on the object’s status', async () => {
    const world = await makeMeshWorld();
    world.connect({ instance: 'reviews-1', service: 'reviews' }).publish();
    await world.settle();
    const { controlPlane } = world;
    await world.apply(
      object('VirtualService', {
        hosts: ['reviews'],
        http: [{ rewrite: { uri: '/b' }, route: [{ destination: { host: 'reviews' } }] }],
      }),
    );
    const hosts = ['reviews.default.svc.cluster.local'];
    const node = (client: string): SidecarNode =>
      ({ client, namespace: 'default', labels: {} }) as unknown as SidecarNode;
    assert.deepEqual(controlPlane.withheld(node('grpc'), TypeUrl.routeConfiguration, hosts), ['rewriting']);
    assert.deepEqual(controlPlane.withheld(node('envoy'), TypeUrl.routeConfiguration, hosts), []);
  });

  it('serves nobody where a policy asks for more than it can enforce', () => {
    const requests = (typeUrl: string): InboundSecurity =>
      ({
        policies: { policiesFor: () => ({}) },
        filters: {
          make: () => ({
            requests: [
              { name: 'x', configType: { $case: 'typedConfig', value: { typeUrl, value: Buffer.alloc(0) } } },
            ],
          }),
        } as unknown as FilterFactory,
      }) as unknown as InboundSecurity;
    const listener = (typeUrl: string) =>
      new GrpcResources(requests(typeUrl)).get(
        {} as SidecarNode,
        TypeUrl.listener,
        server,
        {} as MeshModel,
        () => undefined,
      );
    const enforced = listener(TypeUrl.httpRbac);
    assert.ok(Buffer.from(enforced?.bytes ?? []).includes('envoy.extensions.filters.http.rbac.v3.RBAC'));
    assert.equal(
      listener('type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication'),
      undefined,
    );
  });
});
