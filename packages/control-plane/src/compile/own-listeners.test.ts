import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TypeUrl, unpackAny } from '@heddle/xds';
import type { FilterChain } from '@heddle/xds/api/envoy/config/listener/v3/listener_components.ts';
import { makeMeshWorld, type MeshWorld, type TestSidecar } from '../testing/mesh-world.ts';

const bind = { address: '127.0.0.1', port: 8443 };
const interception = { MODE: 'REDIRECT', ADDRESS: '::', OUTBOUND_PORT: 15_001, INBOUND_PORT: 15_006 };

function policy(app: string): string {
  return `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: ${app}}\nspec: {selector: {matchLabels: {app: ${app}}}}\n`;
}

async function change(world: MeshWorld, how: 'apply' | 'delete', text: string): Promise<void> {
  assert.ok((await world[how](text)).ok);
  await world.settle();
}

/** The filters of a chain but for the one that ends it: of its connections, then of its requests. */
function filtersOf({ filters }: FilterChain): string[] {
  return filters.flatMap(({ name, configType }) => {
    if (configType?.value.typeUrl !== TypeUrl.httpConnectionManager) return [name];
    const manager = unpackAny(configType.value, TypeUrl.httpConnectionManager);
    return manager.ok ? manager.value.httpFilters.map((filter) => filter.name) : assert.fail();
  });
}

function everyChain(sidecar: TestSidecar, name: string): string[][] {
  const { filterChains, defaultFilterChain } = sidecar.get(TypeUrl.listener, name);
  return [...filterChains, ...(defaultFilterChain === undefined ? [] : [defaultFilterChain])].map(filtersOf);
}

test('a policy stands before everything that comes in, whichever way it does', async () => {
  const world = await makeMeshWorld();
  const metadata = { EXPOSE: bind, INTERCEPTION: interception };
  const web = world.connect({ instance: 'web-1', service: 'web', metadata });
  const tcp = { PROTOCOL: 'tcp', ENABLE_HBONE: true };
  const db = world.connect({ instance: 'db-1', service: 'db', metadata: tcp });
  await change(world, 'apply', policy('web') + '---\n' + policy('db'));
  const [ofRequests, ofConnections] = ['envoy.filters.http.rbac', 'envoy.filters.network.rbac'];
  const listeners: readonly [sidecar: TestSidecar, listener: string, filter: string][] = [
    [web, 'inbound', ofRequests],
    [web, 'expose', ofRequests],
    [web, 'virtualInbound', ofConnections],
    [db, 'inbound', ofConnections],
  ];
  for (const [sidecar, listener, filter] of listeners) {
    const chains = everyChain(sidecar, listener);
    assert.ok(chains.length > 0 && chains.every(([first]) => first === filter), listener);
  }
  assert.ok(!everyChain(web, 'virtualOutbound').flat().includes(ofConnections));
});

test('a policy is sent to whom it is for, in one piece, and what comes out as it was is not sent', async () => {
  const world = await makeMeshWorld();
  const a = world.connect({ instance: 'a-1', service: 'a' });
  const b = world.connect({ instance: 'b-1', service: 'b' });
  await world.settle();
  for (const sidecar of [a, b]) sidecar.responses = [];
  await change(world, 'apply', policy('a'));
  const listener = { type: 'Listener', names: ['inbound'], removed: [] };
  assert.deepEqual([a.responses, b.responses], [[listener], []]);
  await change(world, 'apply', policy('nobody'));
  await change(world, 'delete', policy('a'));
  assert.deepEqual([a.responses, b.responses], [[listener, listener], []]);
  assert.deepEqual(everyChain(a, 'inbound'), everyChain(b, 'inbound'));
});
