import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TypeUrl, unpackAny } from '@heddle/xds';
import { Cluster_DiscoveryType as Type } from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import { makeMeshWorld, type MeshWorld, type TestSidecar } from '../testing/mesh-world.ts';

const api = 'api.example.org';

function entry(spec: string, name = 'api'): string {
  return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}}
spec: ${spec}
`;
}

async function meshWith(
  manifests: string,
  metadata: Readonly<Record<string, unknown>> = {},
): Promise<{ world: MeshWorld; page: TestSidecar }> {
  const world = await makeMeshWorld();
  const page = world.connect({ instance: 'page-1', service: 'productpage', metadata });
  const applied = await world.apply(manifests);
  assert.ok(applied.ok, JSON.stringify(applied));
  await world.settle();
  return { world, page };
}

function typeOf(page: TestSidecar, name: string): Type | string | undefined {
  const discovery = page.get(TypeUrl.cluster, name).clusterDiscoveryType;
  return discovery?.$case === 'type' ? discovery.value : discovery?.value.name;
}

test('each resolution is its own kind of cluster', async () => {
  const expected = {
    NONE: Type.ORIGINAL_DST,
    STATIC: Type.EDS,
    DNS: Type.STRICT_DNS,
    DNS_ROUND_ROBIN: Type.LOGICAL_DNS,
    DYNAMIC_DNS: 'envoy.clusters.dynamic_forward_proxy',
  };
  for (const [resolution, type] of Object.entries(expected)) {
    const { page } = await meshWith(
      entry(`{hosts: [${api}], resolution: ${resolution}, ports: [{number: 80, name: web, protocol: HTTP}]}`),
    );
    assert.equal(typeOf(page, `outbound|80||${api}`), type, resolution);
    assert.equal(page.get(TypeUrl.cluster, `outbound|80||${api}`).transportSocket, undefined, 'in the clear');
  }
});

test('endpoints have their own ports, places and weights', async () => {
  const { page } = await meshWith(
    entry(`{hosts: [${api}], resolution: STATIC, ports: [{number: 80, name: web, protocol: HTTP, targetPort: 81}],
      endpoints: [
        {address: 10.0.0.1, ports: {web: 8080}, locality: eu/a/1, weight: 5},
        {address: 10.0.0.2, labels: {version: v2}},
        {address: unix:///run/api.sock},
        {address: not.an.address}]}`) +
      `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: api}
spec: {host: ${api}, subsets: [{name: v2, labels: {version: v2}}]}`,
  );
  const { endpoints } = page.get(TypeUrl.clusterLoadAssignment, `outbound|80||${api}`);
  const seen = endpoints.map(({ locality, lbEndpoints }) => [
    locality?.zone,
    lbEndpoints.map(({ hostIdentifier, loadBalancingWeight }) => {
      const address = hostIdentifier?.value.address?.address;
      const place =
        address?.$case === 'pipe'
          ? address.value.path
          : `${address?.value.address}:${address?.value.portSpecifier?.value}`;
      return [place, loadBalancingWeight];
    }),
  ]);
  assert.deepEqual(seen, [
    [
      undefined,
      [
        ['10.0.0.2:81', undefined],
        ['/run/api.sock', undefined],
      ],
    ],
    ['a', [['10.0.0.1:8080', 5]]],
  ]);
  assert.deepEqual(page.endpoints(`outbound|80|v2|${api}`), ['10.0.0.2:81']);
});

test('who has an identity is spoken to by mTLS, and who has none is marked as such', async () => {
  const internal = (accounts: readonly string[]): string =>
    entry(`{hosts: [vm.internal], location: MESH_INTERNAL, resolution: STATIC,
      ports: [{number: 80, name: web, protocol: HTTP}], workloadSelector: {labels: {app: vm}}}`) +
    accounts
      .map(
        (account, index) => `---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm-${index}}
spec: {address: 10.0.0.${index}, labels: {app: vm}${account === '' ? '' : `, serviceAccount: ${account}`}}
`,
      )
      .join('');
  const cluster = 'outbound|80||vm.internal';
  const clear = await meshWith(internal(['', '']));
  assert.equal(clear.page.get(TypeUrl.cluster, cluster).transportSocket, undefined);
  assert.equal(clear.page.endpoints(cluster).length, 2);
  const { page, world } = await meshWith(internal(['', 'vm']));
  const marks = (): unknown[] =>
    page
      .get(TypeUrl.clusterLoadAssignment, cluster)
      .endpoints.flatMap(({ lbEndpoints }) => lbEndpoints)
      .map(({ metadata }) => metadata?.filterMetadata['envoy.transport_socket_match']?.['tlsMode']);
  assert.deepEqual(page.endpoints(cluster), ['10.0.0.0:80', '10.0.0.1:80']);
  assert.deepEqual(marks(), ['disabled', undefined]);
  const [plain] = page.get(TypeUrl.cluster, cluster).transportSocketMatches;
  assert.equal(plain?.transportSocket?.name, 'envoy.transport_sockets.raw_buffer');
  const identities = (): string[] => {
    const socket = page.get(TypeUrl.cluster, cluster).transportSocket?.configType?.value;
    const tls = unpackAny(socket ?? assert.fail('in the clear'), TypeUrl.upstreamTlsContext);
    assert.ok(tls.ok);
    const context = tls.value.commonTlsContext?.validationContextType;
    assert.equal(context?.$case, 'combinedValidationContext');
    const names = context.value.defaultValidationContext?.matchTypedSubjectAltNames ?? [];
    return names.map(({ matcher }) => {
      const pattern = matcher?.matchPattern;
      return pattern?.$case === 'exact' ? pattern.value : '';
    });
  };
  assert.deepEqual(identities(), ['spiffe://cluster.local/ns/default/sa/vm']);
  // An instance of ours with the labels is an endpoint too, until it leaves.
  const lease = world
    .connect({ instance: 'legacy-1', service: 'legacy', metadata: { SERVICE_PORT: 80 } })
    .publish({ servicePort: 80, labels: { app: 'vm' } })
    .keep(world.clock);
  await world.settle();
  assert.deepEqual(page.endpoints(cluster), ['127.0.0.1:20001', '10.0.0.0:80', '10.0.0.1:80']);
  assert.deepEqual(identities(), [
    'spiffe://cluster.local/ns/default/sa/legacy',
    'spiffe://cluster.local/ns/default/sa/vm',
  ]);
  lease.withdraw();
  await world.settle();
  assert.equal(lease.answers.at(-1), 'withdrawn true 0');
  assert.deepEqual(page.endpoints(cluster), ['10.0.0.0:80', '10.0.0.1:80']);
});

test('a dependency outside of the mesh hears its own name', async () => {
  const upstream = { host: api, port: 80, bind: { address: '127.0.0.1', port: 22_000 } };
  const { page } = await meshWith(
    entry(`{hosts: [${api}], resolution: DNS, ports: [{number: 80, name: web, protocol: HTTP}]}`),
    { UPSTREAMS: [upstream] },
  );
  const [host] = page.get(TypeUrl.routeConfiguration, `upstream|${api}|80|default`).virtualHosts;
  const action = host?.routes[0]?.action;
  assert.equal(action?.$case, 'route');
  assert.deepEqual(action.value.hostRewriteSpecifier, { $case: 'hostRewriteLiteral', value: api });
});

test('where callers decide, a request to the proxy itself goes where its authority says', async () => {
  const { page } = await meshWith(
    entry(`{hosts: [${api}], resolution: NONE, ports: [{number: 80, name: web, protocol: HTTP}]}`),
  );
  const { virtualHosts } = page.get(TypeUrl.routeConfiguration, 'http-proxy|default');
  const action = virtualHosts.find(({ domains }) => domains.includes(api))?.routes[0]?.action;
  assert.equal(action?.$case, 'route');
  assert.deepEqual(action.value.clusterSpecifier, { $case: 'cluster', value: 'PassthroughCluster' });
});

test('intercepted connections are known by address, by the name in TLS, or by their port', async () => {
  const redirect = { MODE: 'REDIRECT', ADDRESS: '::', OUTBOUND_PORT: 15_001, INBOUND_PORT: 15_006 };
  const ports = (number: number, protocol: string): string =>
    `ports: [{number: ${number}, name: p, protocol: ${protocol}}]`;
  const { page } = await meshWith(
    [
      entry(`{hosts: [a.org], resolution: NONE, ${ports(443, 'TLS')}}`, 'a'),
      entry(`{hosts: [b.org], resolution: NONE, addresses: [10.1.0.0/16], ${ports(3306, 'TCP')}}`, 'b'),
      entry(`{hosts: [c.org], resolution: NONE, ${ports(5432, 'TCP')}}`, 'c'),
      entry(`{hosts: [d.org], resolution: DNS, ${ports(443, 'HTTPS')}}`, 'd'),
      entry(`{hosts: [e.org], resolution: STATIC, addresses: [10.1.0.0/16], ${ports(3306, 'TCP')}}`, 'e'),
    ].join('---'),
    { INTERCEPTION: redirect, ENABLE_HBONE: true },
  );
  const { filterChains, listenerFilters } = page.get(TypeUrl.listener, 'virtualOutbound');
  const chains = filterChains
    .filter(({ name }) => name.startsWith('outbound'))
    .map(({ name, filterChainMatch: match }) => [
      name,
      match?.prefixRanges.length,
      match?.serverNames.join() ?? '',
    ]);
  assert.deepEqual(chains, [
    ['outbound|443||a.org|tls', 0, 'a.org'],
    ['outbound|3306||b.org', 1, ''],
    ['outbound|5432||c.org', 0, ''],
    ['outbound|443||d.org', 2, ''],
    ['outbound|443||d.org|tls', 0, 'd.org'],
  ]);
  assert.ok(listenerFilters.some(({ name }) => name.endsWith('tls_inspector')));
  for (const { name, filters } of filterChains) {
    if (!name.startsWith('outbound')) continue;
    const proxy = unpackAny(filters[0]!.configType!.value, TypeUrl.tcpProxy);
    assert.ok(proxy.ok);
    assert.equal(proxy.value.tunnelingConfig, undefined, 'nobody outside of the mesh ends tunnels');
  }
});

test('a DestinationRule has TLS begun with servers outside of the mesh, whose names are verified', async () => {
  const rule = (tls: string): string => `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: api}
spec: {host: ${api}, trafficPolicy: {tls: ${tls}}}`;
  const contextOf = async (tls: string, more = '') => {
    const ports = 'ports: [{number: 80, name: web, protocol: HTTP, targetPort: 443}]';
    const { page } = await meshWith(entry(`{hosts: [${api}], resolution: DNS, ${ports}${more}}`) + rule(tls));
    const socket = page.get(TypeUrl.cluster, `outbound|80||${api}`).transportSocket?.configType?.value;
    const context = unpackAny(socket ?? assert.fail('in the clear'), TypeUrl.upstreamTlsContext);
    assert.ok(context.ok);
    const { sni, commonTlsContext: common } = context.value;
    const validation = common?.validationContextType;
    if (validation?.$case !== 'validationContext') return { sni, kind: validation?.$case };
    const names = validation.value.matchTypedSubjectAltNames.map(
      ({ matcher }) => matcher?.matchPattern?.value,
    );
    const certificate = common?.tlsCertificates[0]?.certificateChain?.specifier?.value;
    return { sni, names, authorities: validation.value.trustedCa?.specifier?.value, certificate };
  };
  const system = '/etc/ssl/certs/ca-certificates.crt';
  assert.deepEqual(await contextOf('{mode: SIMPLE}'), {
    sni: api,
    names: [api],
    authorities: system,
    certificate: undefined,
  });
  assert.deepEqual((await contextOf('{mode: SIMPLE}', ', subjectAltNames: [other.org]')).names, [
    'other.org',
  ]);
  const own =
    '{mode: MUTUAL, sni: x.org, caCertificates: /ca.pem, clientCertificate: /c.pem, privateKey: /k.pem}';
  assert.deepEqual(await contextOf(own), {
    sni: 'x.org',
    names: ['x.org'],
    authorities: '/ca.pem',
    certificate: '/c.pem',
  });
  // Certificates of the mesh are asked for where somebody says so, and never silently left out.
  assert.equal((await contextOf('{mode: ISTIO_MUTUAL}')).kind, 'combinedValidationContext');
});
