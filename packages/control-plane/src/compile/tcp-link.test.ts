import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TypeUrl, unpackAny } from '@heddle/xds';
import type { Listener } from '@heddle/xds/api/envoy/config/listener/v3/listener.ts';
import { type MeshWorld, type TestSidecar, makeMeshWorld } from '../testing/mesh-world.ts';

const host = 'db.default.svc.cluster.local';
const listenerName = `upstream|${host}|5432`;
const cluster = `outbound|5432||${host}`;
const bind = { address: '127.0.0.1', port: 22_000 };
const UPSTREAMS = [{ host, port: 5432, bind }];

function startDatabase(world: MeshWorld, metadata: object, tunnel = ''): TestSidecar {
  const plan = { SERVICE_PORT: 5432, PROTOCOL: 'tcp', ...metadata };
  const database = world.connect({ instance: 'db-1', service: 'db', metadata: plan });
  database.publish({ servicePort: 5432, protocol: 'tcp', tunnel }).keep(world.clock);
  return database;
}

/** What becomes of connections, by the name of the filter chain, in which each proxy has one filter. */
function filtersOf({ filterChains, defaultFilterChain }: Listener): [string, string][] {
  const chains = [...filterChains, ...(defaultFilterChain === undefined ? [] : [defaultFilterChain])];
  return chains.map(({ name, filters }) => [name, filters[0]?.name.split('.').at(-1) ?? '']);
}

function authorityOf({ filterChains }: Listener): string | undefined {
  const proxy = unpackAny(filterChains[0]!.filters[0]!.configType!.value, TypeUrl.tcpProxy);
  assert.ok(proxy.ok);
  assert.deepEqual(proxy.value.clusterSpecifier, { $case: 'cluster', value: cluster });
  return proxy.value.tunnelingConfig?.hostname;
}

test("a dependency's listener does as the mesh knows of it", async () => {
  const world = await makeMeshWorld();
  const client = world.connect({
    instance: 'a-1',
    service: 'a',
    metadata: { UPSTREAMS, ENABLE_HBONE: true },
  });
  const old = world.connect({ instance: 'old-1', service: 'old', metadata: { UPSTREAMS } });
  await world.settle();
  const unknown = client.get(TypeUrl.listener, listenerName);
  assert.deepEqual(filtersOf(unknown), [
    ['http', 'http_connection_manager'],
    ['tcp', 'tcp_proxy'],
  ]);
  startDatabase(world, { ENABLE_HBONE: true }, 'h2');
  await world.settle();
  const known = client.get(TypeUrl.listener, listenerName);
  assert.deepEqual(filtersOf(known), [['tcp', 'tcp_proxy']]);
  assert.equal(authorityOf(known), `${host}:5432`);
  // One that has no tunnels makes none.
  assert.equal(authorityOf(old.get(TypeUrl.listener, listenerName)), undefined);
});

test('what calls an HTTP service has the listener that it always had', async () => {
  const world = await makeMeshWorld();
  const client = world.connect({ instance: 'a-1', service: 'a', metadata: { UPSTREAMS } });
  const server = world.connect({ instance: 'db-1', service: 'db', metadata: { SERVICE_PORT: 5432 } });
  server.publish({ servicePort: 5432 }).keep(world.clock);
  await world.settle();
  const listener = client.get(TypeUrl.listener, listenerName);
  assert.deepEqual(filtersOf(listener), [['', 'http_connection_manager']]);
  assert.deepEqual(listener.listenerFilters, []);
});

for (const [tunnel, expected] of [
  ['h2', 'h2'],
  ['', 'none'],
] as const) {
  test(`an instance whose sidecar says of tunnels "${tunnel}" is an endpoint with "${expected}"`, async () => {
    const world = await makeMeshWorld();
    const client = world.connect({ instance: 'a-1', service: 'a' });
    startDatabase(world, {}, tunnel);
    await world.settle();
    const { endpoints } = client.get(TypeUrl.clusterLoadAssignment, cluster);
    const metadata = endpoints.flatMap(({ lbEndpoints }) => lbEndpoints.map((one) => one.metadata));
    assert.deepEqual(
      metadata.map((one) => one?.filterMetadata['envoy.transport_socket_match']),
      [{ tunnel: expected }],
    );
  });
}

test('a link holds as much as all its streams, and its connections offer what they are', async () => {
  const world = await makeMeshWorld();
  const client = world.connect({ instance: 'a-1', service: 'a' });
  startDatabase(world, {}, 'h2');
  await world.settle();
  const { typedExtensionProtocolOptions, transportSocket } = client.get(TypeUrl.cluster, cluster);
  const [any] = Object.values(typedExtensionProtocolOptions);
  const options = unpackAny(any!, TypeUrl.upstreamHttpProtocolOptions);
  assert.ok(options.ok && options.value.upstreamProtocolOptions?.$case === 'explicitHttpConfig');
  const { protocolConfig } = options.value.upstreamProtocolOptions.value;
  assert.ok(protocolConfig?.$case === 'http2ProtocolOptions');
  const http2 = protocolConfig.value;
  assert.equal(
    http2.initialConnectionWindowSize,
    http2.maxConcurrentStreams! * http2.initialStreamWindowSize!,
  );
  const tls = unpackAny(transportSocket!.configType!.value, TypeUrl.upstreamTlsContext);
  assert.ok(tls.ok);
  assert.deepEqual(tls.value.commonTlsContext?.alpnProtocols, []);
});

test('a sidecar of a TCP service ends tunnels, and takes connections of those who have none', async () => {
  const world = await makeMeshWorld();
  const database = startDatabase(world, { ENABLE_HBONE: true, EXPOSE: bind });
  await world.settle();
  assert.deepEqual(database.names(TypeUrl.listener), ['inbound', 'outbound-proxy']);
  const listener = database.get(TypeUrl.listener, 'inbound');
  assert.deepEqual(filtersOf(listener), [
    ['tunnel', 'http_connection_manager'],
    ['tcp', 'tcp_proxy'],
  ]);
  assert.deepEqual(listener.filterChains[0]?.filterChainMatch?.applicationProtocols, ['h2']);
  for (const chain of [listener.filterChains[0], listener.defaultFilterChain]) {
    const tls = unpackAny(chain!.transportSocket!.configType!.value, TypeUrl.downstreamTlsContext);
    assert.ok(tls.ok);
    assert.equal(tls.value.requireClientCertificate, true);
  }
  const old = world.connect({
    instance: 'db-2',
    service: 'db',
    metadata: { SERVICE_PORT: 5432, PROTOCOL: 'tcp' },
  });
  await world.settle();
  assert.deepEqual(filtersOf(old.get(TypeUrl.listener, 'inbound')), [['tcp', 'tcp_proxy']]);
});
