import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TypeUrl } from '@heddle/xds';
import type { FilterChain } from '@heddle/xds/api/envoy/config/listener/v3/listener_components.ts';
import { makeMeshWorld, type MeshWorld, type SeenResponse } from '../testing/mesh-world.ts';

const cluster = 'outbound|9080||db.default.svc.cluster.local';

async function meshWith(mode: string, protocol: string) {
  const world = await makeMeshWorld();
  const metadata = { PROTOCOL: protocol, ENABLE_HBONE: true };
  const database = world.connect({ instance: 'db-1', service: 'db', metadata });
  database.publish({ protocol, tunnel: 'h2' }).keep(world.clock);
  const client = world.connect({ instance: 'a-1', service: 'a' });
  await world.settle();
  await apply(world, mode);
  return { world, database, client };
}

async function apply(world: MeshWorld, mode: string): Promise<void> {
  const text = `apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: db}\nspec: {selector: {matchLabels: {app: db}}, mtls: {mode: ${mode}}}\n`;
  assert.ok((await world.apply(text)).ok);
  await world.settle();
}

const describe = ({ name, filterChainMatch, transportSocket }: FilterChain): string =>
  [
    name,
    filterChainMatch?.transportProtocol ?? '',
    ...(filterChainMatch?.applicationProtocols ?? []),
    transportSocket === undefined ? 'plain' : 'TLS',
  ].join(' ');

for (const [mode, expected] of [
  ['STRICT', ['tunnel tls h2 TLS', 'tcp  TLS']],
  ['PERMISSIVE', ['tunnel tls h2 TLS', 'tcp tls TLS', 'plain  plain']],
  ['DISABLE', ['plain  plain']],
] as const)
  test(`a TCP service of mode ${mode} is reached by ${expected.join(', ')}`, async () => {
    const { database } = await meshWith(mode, 'tcp');
    const { filterChains, defaultFilterChain } = database.get(TypeUrl.listener, 'inbound');
    const chains = [...filterChains, ...(defaultFilterChain === undefined ? [] : [defaultFilterChain])];
    assert.deepEqual(chains.map(describe), expected);
  });

test('callers of a TCP service that shows no certificate make plain connections, and no tunnels', async () => {
  const { world, client } = await meshWith('DISABLE', 'tcp');
  const markOf = () =>
    client.get(TypeUrl.clusterLoadAssignment, cluster).endpoints[0]?.lbEndpoints[0]?.metadata?.filterMetadata[
      'envoy.transport_socket_match'
    ];
  assert.deepEqual(markOf(), { tunnel: 'none', tlsMode: 'disabled' });
  const [match] = client.get(TypeUrl.cluster, cluster).transportSocketMatches;
  assert.deepEqual(match?.match, { tlsMode: 'disabled' });
  assert.equal(match?.transportSocket?.name, 'envoy.transport_sockets.raw_buffer');
  await apply(world, 'PERMISSIVE');
  assert.deepEqual(markOf(), { tunnel: 'h2' });
  assert.deepEqual(client.get(TypeUrl.cluster, cluster).transportSocketMatches, []);
});

test('only what is concerned is sent: the listener, and to all the cluster and its endpoints', async () => {
  const { world, database, client } = await meshWith('STRICT', 'http');
  for (const sidecar of [database, client]) sidecar.responses = [];
  await apply(world, 'PERMISSIVE');
  assert.deepEqual(client.responses, []);
  assert.deepEqual(database.responses, [{ type: 'Listener', names: ['inbound'], removed: [] }]);
  await apply(world, 'DISABLE');
  const sent: readonly SeenResponse[] = client.responses;
  assert.deepEqual(
    sent.map(({ type, names }) => `${type} ${names.join()}`),
    [`Cluster ${cluster}`, `ClusterLoadAssignment ${cluster}`],
  );
});
