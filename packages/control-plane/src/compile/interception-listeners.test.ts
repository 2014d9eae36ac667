import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TypeUrl, unpackAny } from '@heddle/xds';
import { HttpConnectionManager_CodecType as CodecType } from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { type TestSidecar, makeMeshWorld } from '../testing/mesh-world.ts';

const redirect = { MODE: 'REDIRECT', ADDRESS: '::', OUTBOUND_PORT: 15_001, INBOUND_PORT: 15_006 };

test('a sidecar that intercepts gets its two listeners, and nobody else does', async () => {
  const world = await makeMeshWorld();
  const page = world.connect({
    instance: 'page-1',
    service: 'productpage',
    metadata: { INTERCEPTION: redirect },
  });
  const plain = world.connect({ instance: 'plain-1', service: 'plain' });
  await world.settle();
  assert.deepEqual(page.names(TypeUrl.listener), [
    'inbound',
    'outbound-proxy',
    'virtualInbound',
    'virtualOutbound',
  ]);
  assert.deepEqual(plain.names(TypeUrl.listener), ['inbound', 'outbound-proxy']);
  const own = [
    'InboundPassthroughClusterIpv4',
    'InboundPassthroughClusterIpv6',
    'OriginalDestinationCluster',
  ];
  assert.deepEqual(
    page.names(TypeUrl.cluster).filter((name) => own.includes(name)),
    own,
  );
  assert.ok(!plain.names(TypeUrl.cluster).some((name) => own.includes(name)));
});

test('what comes in past the mesh reaches only what it would have reached, from an address that the rules know', async () => {
  const world = await makeMeshWorld();
  const page = world.connect({
    instance: 'page-1',
    service: 'productpage',
    metadata: { INTERCEPTION: redirect },
  });
  await world.settle();
  const inbound = page.get(TypeUrl.listener, 'virtualInbound');
  assert.equal(inbound.transparent, undefined);
  const clusters = inbound.filterChains.map(({ filters }) => {
    const proxy = unpackAny(filters[0]!.configType!.value, TypeUrl.tcpProxy);
    assert.ok(proxy.ok);
    return proxy.value.clusterSpecifier?.value;
  });
  assert.deepEqual(clusters, ['InboundPassthroughClusterIpv4', 'InboundPassthroughClusterIpv6']);
  const sources = clusters.map(
    (name) => page.get(TypeUrl.cluster, name).upstreamBindConfig?.sourceAddress?.address,
  );
  assert.deepEqual(sources, ['127.0.0.6', '::6']);
});

test('behind TPROXY what comes in keeps its caller’s address', async () => {
  const world = await makeMeshWorld();
  const metadata = { INTERCEPTION: { ...redirect, MODE: 'TPROXY', MARK: 7 } };
  const page = world.connect({ instance: 'page-1', service: 'productpage', metadata });
  await world.settle();
  const inbound = page.get(TypeUrl.listener, 'virtualInbound');
  assert.equal(inbound.transparent, true);
  const source = unpackAny(inbound.listenerFilters[1]!.configType!.value, TypeUrl.originalSrc);
  assert.ok(source.ok);
  assert.equal(source.value.mark, 7);
  assert.equal(page.get(TypeUrl.cluster, 'InboundPassthroughClusterIpv4').upstreamBindConfig, undefined);
});

test('intercepted requests to what the mesh does not know go where they were going', async () => {
  const world = await makeMeshWorld();
  const page = world.connect({
    instance: 'page-1',
    service: 'productpage',
    metadata: { INTERCEPTION: redirect },
  });
  world.connect({ instance: 'reviews-1', service: 'reviews' }).publish().keep(world.clock);
  await world.settle();
  const routes = page.get(TypeUrl.routeConfiguration, 'intercepted|default');
  const rest = routes.virtualHosts.at(-1)!;
  assert.deepEqual(rest.domains, ['*']);
  const [route] = rest.routes;
  assert.equal(route?.action?.$case, 'route');
  assert.deepEqual(route.action.value.clusterSpecifier, {
    $case: 'cluster',
    value: 'OriginalDestinationCluster',
  });
  assert.ok(routes.virtualHosts.some(({ domains }) => domains.includes('reviews:9080')));
});

test('HTTP of every version is routed, and goes by the same one to what the mesh does not know', async () => {
  const world = await makeMeshWorld();
  const page = world.connect({
    instance: 'page-1',
    service: 'productpage',
    metadata: { INTERCEPTION: redirect },
  });
  await world.settle();
  const [http] = page.get(TypeUrl.listener, 'virtualOutbound').filterChains;
  assert.deepEqual(http?.filterChainMatch?.applicationProtocols, ['http/1.0', 'http/1.1', 'h2c']);
  const manager = unpackAny(http.filters[0]!.configType!.value, TypeUrl.httpConnectionManager);
  assert.ok(manager.ok);
  assert.equal(manager.value.codecType, CodecType.AUTO);
  const cluster = page.get(TypeUrl.cluster, 'OriginalDestinationCluster');
  const [options] = Object.values(cluster.typedExtensionProtocolOptions);
  const protocol = unpackAny(options!, TypeUrl.upstreamHttpProtocolOptions);
  assert.ok(protocol.ok);
  const { upstreamProtocolOptions: choice } = protocol.value;
  assert.equal(choice?.$case, 'useDownstreamProtocolConfig');
  assert.ok(
    choice.value.httpProtocolOptions !== undefined && choice.value.http2ProtocolOptions !== undefined,
  );
});

test('connections to TCP services are known by where they go; what else goes to their ports stays what it is', async () => {
  const world = await makeMeshWorld();
  const metadata = { INTERCEPTION: redirect, DNS_CAPTURE: { address: '127.0.0.1', port: 15_053 } };
  const page = world.connect({
    instance: 'page-1',
    service: 'productpage',
    metadata: { ...metadata, ENABLE_HBONE: true },
  });
  const old = world.connect({ instance: 'old-1', service: 'old', metadata });
  await world.settle();
  const chainsOf = (sidecar: typeof page) => {
    const { filterChains } = sidecar.get(TypeUrl.listener, 'virtualOutbound');
    return filterChains.map(({ name, filterChainMatch: match }) => ({
      name,
      port: match?.destinationPort,
      ranges: match?.prefixRanges.map(({ addressPrefix, prefixLen }) => `${addressPrefix}/${prefixLen}`),
      // Not what TLS says: that stays sealed.
      http: match?.transportProtocol === 'raw_buffer' && match.applicationProtocols.includes('http/1.1'),
    }));
  };
  const http = { name: 'http', port: undefined, ranges: [], http: true };
  assert.deepEqual(chainsOf(page), [http]);
  const plan = { SERVICE_PORT: 5432, PROTOCOL: 'tcp' };
  const database = world.connect({ instance: 'db-1', service: 'db', metadata: plan });
  database.publish({ servicePort: 5432, protocol: 'tcp' }).keep(world.clock);
  world.connect({ instance: 'reviews-1', service: 'reviews' }).publish().keep(world.clock);
  await world.settle();
  const name = 'outbound|5432||db.default.svc.cluster.local';
  const { endpointConfig } = dnsEntry(page, 'db');
  const [v4, v6] = endpointConfig!.value.address;
  assert.deepEqual(chainsOf(page), [
    http,
    { name: 'http:5432', port: 5432, ranges: [], http: true },
    { name, port: 5432, ranges: [`${v4}/32`, `${v6}/128`], http: false },
  ]);
  const tunnels = [page, old].map((sidecar) => {
    const chain = sidecar.get(TypeUrl.listener, 'virtualOutbound').filterChains.at(-1)!;
    const proxy = unpackAny(chain.filters[0]!.configType!.value, TypeUrl.tcpProxy);
    assert.ok(proxy.ok);
    assert.deepEqual(proxy.value.clusterSpecifier, { $case: 'cluster', value: name });
    return proxy.value.tunnelingConfig?.hostname;
  });
  assert.deepEqual(tunnels, ['db.default.svc.cluster.local:5432', undefined]);
});

function dnsEntry(sidecar: TestSidecar, name: string) {
  const { listenerFilters } = sidecar.get(TypeUrl.listener, 'dns');
  const filter = unpackAny(listenerFilters[0]!.configType!.value, TypeUrl.dnsFilter);
  assert.ok(filter.ok);
  const domains = filter.value.serverConfig?.configSource?.value.virtualDomains ?? [];
  return domains.find((domain) => domain.name === name)!.endpoint!;
}
