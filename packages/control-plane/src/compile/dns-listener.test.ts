import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TypeUrl, unpackAny } from '@heddle/xds';
import { type TestSidecar, makeMeshWorld } from '../testing/mesh-world.ts';

const metadata = { DNS_CAPTURE: { address: '127.0.0.1', port: 15_053 } };

/** The names that a sidecar's DNS listener answers, with their addresses. */
function tableOf(sidecar: TestSidecar): Map<string, readonly string[]> {
  const listener = sidecar.get(TypeUrl.listener, 'dns');
  const filter = unpackAny(listener.listenerFilters[0]!.configType!.value, TypeUrl.dnsFilter);
  assert.ok(filter.ok);
  const domains = filter.value.serverConfig?.configSource?.value.virtualDomains ?? [];
  return new Map(domains.map(({ name, endpoint }) => [name, endpoint?.endpointConfig?.value.address ?? []]));
}

test('a sidecar that captures DNS is told the names of the mesh, short ones by its namespace', async () => {
  const world = await makeMeshWorld();
  const page = world.connect({ instance: 'page-1', service: 'productpage', metadata });
  const other = world.connect({ instance: 'other-1', service: 'other', namespace: 'shop', metadata });
  const plain = world.connect({ instance: 'plain-1', service: 'plain' });
  world.connect({ instance: 'reviews-1', service: 'reviews' }).publish().keep(world.clock);
  await world.settle();
  assert.deepEqual(plain.names(TypeUrl.listener), ['inbound', 'outbound-proxy']);
  assert.deepEqual(page.names(TypeUrl.listener), ['dns', 'inbound', 'outbound-proxy']);
  const names = ['reviews', 'reviews.default', 'reviews.default.svc', 'reviews.default.svc.cluster.local'];
  const table = tableOf(page);
  assert.deepEqual([...table.keys()].filter((name) => name.startsWith('reviews')).toSorted(), names);
  const [v4, v6] = table.get('reviews')!;
  assert.match(v4!, /^240\.240\./);
  assert.match(v6!, /^2001:2::/);
  for (const name of names) assert.deepEqual(table.get(name), [v4, v6]);
  // The same address everywhere; the bare name is that of the own namespace.
  assert.deepEqual(tableOf(other).get('reviews.default'), [v4, v6]);
  assert.equal(tableOf(other).has('reviews'), false);
});

test('a new service changes the table, and nothing else does', async () => {
  const world = await makeMeshWorld();
  const page = world.connect({ instance: 'page-1', service: 'productpage', metadata });
  world.connect({ instance: 'reviews-1', service: 'reviews' }).publish().keep(world.clock);
  await world.settle();
  const before = tableOf(page).get('reviews');
  page.responses = [];
  world.connect({ instance: 'reviews-2', service: 'reviews' }).publish().keep(world.clock);
  await world.settle();
  assert.equal(
    page.responses.some(({ type }) => type === 'Listener'),
    false,
  );
  world.connect({ instance: 'ratings-1', service: 'ratings' }).publish().keep(world.clock);
  await world.settle();
  assert.deepEqual(
    page.responses.filter(({ type }) => type === 'Listener').map(({ names }) => names),
    [['dns']],
  );
  assert.equal(tableOf(page).has('ratings'), true);
  assert.deepEqual(tableOf(page).get('reviews'), before);
});
