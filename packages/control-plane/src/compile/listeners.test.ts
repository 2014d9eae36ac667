import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TypeUrl, unpackAny } from '@heddle/xds';
import { makeMeshWorld } from '../testing/mesh-world.ts';

test('web pages may call an application that speaks gRPC and says so, and nobody else’s', async () => {
  const world = await makeMeshWorld();
  const bind = { address: '127.0.0.1', port: 8443 };
  const filtersOf = async (instance: string, protocol: string): Promise<Record<string, string[]>> => {
    const metadata = { PROTOCOL: protocol, EXPOSE: bind };
    const client = world.connect({ instance, service: instance, metadata });
    await world.settle();
    const names = ['inbound', 'expose', 'outbound-proxy'].map((name) => {
      const { filterChains } = client.get(TypeUrl.listener, name);
      const manager = unpackAny(
        filterChains[0]!.filters[0]!.configType!.value,
        TypeUrl.httpConnectionManager,
      );
      assert.ok(manager.ok);
      return [name, manager.value.httpFilters.map((filter) => filter.name)] as const;
    });
    return Object.fromEntries(names);
  };
  const router = 'envoy.filters.http.router';
  const both = ['envoy.filters.http.grpc_web', router];
  assert.deepEqual(await filtersOf('web-1', 'grpc-web'), {
    inbound: both,
    expose: both,
    'outbound-proxy': ['envoy.filters.http.fault', 'envoy.filters.http.cors', router],
  });
  assert.deepEqual(await filtersOf('grpc-1', 'grpc'), {
    inbound: [router],
    expose: [router],
    'outbound-proxy': ['envoy.filters.http.fault', 'envoy.filters.http.cors', router],
  });
});
