import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StreamMetricsMessage } from '@heddle/xds/api/envoy/service/metrics/v3/metrics_service.ts';
import { MetricType } from '@heddle/xds/api/io/prometheus/client/metrics.ts';
import type { RpcClient } from '@heddle/xds';
import type { ApiBackend } from '../api/backend.ts';
import { streamMetricsMethod } from '../rpc/metrics-service.ts';
import { makeMeshWorld, type MeshWorld } from '../testing/mesh-world.ts';
import { createBackend, type IssuedRecord } from './api-backend.ts';

function backendOf(world: MeshWorld, issued: readonly IssuedRecord[] = []): ApiBackend {
  return createBackend({
    controlPlane: world.controlPlane,
    clock: world.clock,
    version: '0.1.0',
    issuer: {
      trustDomain: 'cluster.local',
      bundlePem: '',
      rootNotAfterMs: world.clock.now() + 10_000,
      issueWorkload: () => assert.fail(),
    },
    addresses: () => ({ apiAddress: 'a:1', xdsAddress: 'b:2', joinAddress: 'c:3' }),
    issued: async () => issued,
    createJoinToken: async () => ({ token: '' }),
    joinTokens: { list: async () => [], revoke: async () => false },
  });
}

const routes = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http: [{route: [{destination: {host: reviews}}], name: NAME}]
`;

/** Reports counts by HTTP status, or by `<HTTP status> <gRPC status>`. */
function report(rpc: RpcClient, namespace: string): (counts: Record<string, number>) => void {
  const stream = rpc.openStream(streamMetricsMethod, {
    onMessage: () => {},
    onHalfClose: () => {},
    onWritable: () => {},
    onEnd: () => {},
  });
  return (counts) => {
    const metric = Object.entries(counts).map(([codes, value]) => ({
      label: Object.entries({
        reporter: 'destination',
        destination_service_name: 'reviews',
        destination_service_namespace: namespace,
        response_code: codes.split(' ')[0]!,
        ...(codes.includes(' ') && { grpc_response_status: codes.split(' ')[1]! }),
      }).map(([name, text]) => ({ name, value: text })),
      counter: { value },
    }));
    const family = { name: 'istio_requests_total', type: MetricType.COUNTER, metric };
    stream.send(
      StreamMetricsMessage.encode(StreamMetricsMessage.fromPartial({ envoyMetrics: [family] })).finish(),
    );
  };
}

describe('what the API says', () => {
  it('describes services, endpoints and proxies', async () => {
    const world = await makeMeshWorld();
    const backend = backendOf(world);
    const sidecar = world.connect({ instance: 'reviews-1', service: 'reviews', version: 'v2' });
    sidecar.publish();
    await world.settle();
    assert.deepEqual(backend.services(), {
      services: [
        {
          name: 'reviews',
          namespace: 'default',
          host: 'reviews.default.svc.cluster.local',
          ports: [{ number: 9080, protocol: 'http' }],
          instances: 1,
          versions: ['v2'],
          traffic: null,
        },
      ],
    });
    const [endpoint] = backend.endpoints('default').endpoints;
    assert.equal(endpoint?.state, 'ready');
    assert.equal(endpoint.version, 'v2');
    assert.ok(!('serviceAccount' in endpoint) && !('publishedAt' in endpoint));
    assert.deepEqual(backend.endpoints('other'), { endpoints: [] });
    const [proxy] = backend.proxies().proxies;
    assert.equal(proxy?.instance, 'reviews-1');
    assert.deepEqual(Object.keys(proxy.types).sort(), ['cds', 'eds', 'lds', 'rds', 'sds']);
    assert.ok(Object.values(proxy.types).every(({ synced }) => synced));
    const { proxies, instances, revision } = backend.status();
    assert.deepEqual([proxies, instances, revision], [1, 1, 0]);
  });

  it('counts which proxies have taken over an object', async () => {
    const world = await makeMeshWorld();
    const backend = backendOf(world);
    const sidecars = ['a', 'b'].map((service) => world.connect({ instance: `${service}-1`, service }));
    world.connect({ instance: 'c-1', service: 'c', metadata: { OUTBOUND_PROXY: undefined } });
    const lease = world.connect({ instance: 'reviews-1', service: 'reviews' }).publish();
    lease.keep(world.clock);
    await world.settle();
    await world.apply(routes);
    await world.settle();
    const status = () => backend.resource('virtualservices', 'default', 'reviews')?.status;
    const { warnings, proxies, conditions, observedGeneration } = status() ?? assert.fail();
    assert.deepEqual([warnings, proxies, observedGeneration], [[], { acknowledged: 3, total: 3 }, 1]);
    assert.deepEqual(
      conditions.map(({ type, status: holds }) => `${type} ${holds}`),
      ['Accepted True', 'ResolvedRefs True', 'Reconciled True'],
    );
    sidecars[0]!.isMute = true;
    await world.apply(routes.replace('NAME', 'other'));
    await world.settle();
    assert.deepEqual(status()?.proxies, { acknowledged: 2, total: 3 });
    sidecars[0]!.speak();
    await world.settle();
    assert.deepEqual(status()?.proxies, { acknowledged: 3, total: 3 });
  });

  it('shows objects with their metadata, by any name of their kind', async () => {
    const world = await makeMeshWorld();
    const backend = backendOf(world);
    await world.apply(routes);
    const [item] = backend.resources('vs', undefined)?.items ?? [];
    assert.equal(item?.kind, 'VirtualService');
    assert.equal(item.metadata.resourceVersion, '1');
    assert.equal(item.metadata.generation, 1);
    assert.equal(item.metadata.creationTimestamp, new Date(world.clock.now()).toISOString());
    assert.deepEqual(
      item.status.warnings.map(({ code }) => code),
      ['IST0101'],
    );
    assert.deepEqual(backend.resources('virtualservices', 'other'), { items: [] });
    assert.equal(backend.resources('pods', undefined), undefined);
  });

  it('turns what proxies report into traffic, for their own namespace only', async () => {
    const world = await makeMeshWorld();
    const backend = backendOf(world);
    const own = report(world.rpc('spiffe://cluster.local/ns/default/sa/reviews'), 'default');
    const liar = report(world.rpc('spiffe://cluster.local/ns/evil/sa/reviews'), 'default');
    for (const send of [own, liar]) send({ 200: 0 });
    await world.clock.advanceAsync(1000);
    own({ 200: 30, 503: 4, 0: 1 });
    liar({ 503: 1000 });
    await world.clock.advanceAsync(2000);
    const [series] = backend.traffic(5).services;
    const total = (values: readonly number[]): number => Math.round(values.reduce((a, b) => a + b, 0));
    assert.equal(total(series?.requests ?? []), 35);
    assert.equal(total(series?.errors ?? []), 5);
  });

  it('takes a gRPC call for failed where its status says so, whatever HTTP says', async () => {
    const world = await makeMeshWorld();
    const backend = backendOf(world);
    const send = report(world.rpc('spiffe://cluster.local/ns/default/sa/reviews'), 'default');
    send({ '200 0': 0, '200 5': 0, '200 14': 0, '503 14': 0 });
    await world.clock.advanceAsync(1000);
    send({ '200 0': 10, '200 5': 20, '200 14': 3, '503 14': 4 });
    await world.clock.advanceAsync(2000);
    const [series] = backend.traffic(5).services;
    const total = (values: readonly number[]): number => Math.round(values.reduce((a, b) => a + b, 0));
    assert.equal(total(series?.requests ?? []), 37);
    assert.equal(total(series?.errors ?? []), 7);
  });

  it('lists the newest certificate of each identity, and those that instances show', async () => {
    const world = await makeMeshWorld();
    const record = (
      kind: IssuedRecord['kind'],
      identity: string,
      serial: string,
      notAfterMs: number,
    ): IssuedRecord => ({
      kind,
      identity,
      serial,
      notBeforeMs: 1,
      notAfterMs,
    });
    const backend = backendOf(world, [
      record('root', 'spiffe://cluster.local', 'r', 9),
      record('control-plane', 'spiffe://cluster.local/cp', 'old', 8),
      record('control-plane', 'spiffe://cluster.local/cp', 'new', 9),
      record('workload', 'spiffe://cluster.local/w', '1', 5000),
      record('workload', 'spiffe://cluster.local/w', '2', 6000),
    ]);
    const { certificates } = await backend.certificates();
    assert.deepEqual(
      certificates.map(({ serial }) => serial),
      ['r', 'new', '2'],
    );
  });

  it('names each of several instances that show certificates of the same second', async () => {
    const world = await makeMeshWorld();
    const identity = 'spiffe://cluster.local/ns/default/sa/reviews';
    for (const number of [1, 2]) world.connect({ instance: `reviews-${number}`, service: 'reviews' });
    await world.settle();
    const notAfterMs = world.controlPlane.ads.status()[0]?.peer.certificateNotAfter ?? assert.fail();
    const record = { identity, kind: 'workload' as const, notBeforeMs: 1, notAfterMs };
    const backend = backendOf(world, [
      { ...record, serial: '1' },
      { ...record, serial: '2' },
    ]);
    const { certificates } = await backend.certificates();
    assert.deepEqual(
      new Set(certificates.map(({ instance }) => instance)),
      new Set(['reviews-1', 'reviews-2']),
    );
  });

  it('counts pushes, proxies and services under the names of istiod', async () => {
    const world = await makeMeshWorld();
    const backend = backendOf(world);
    world.connect({ instance: 'reviews-1', service: 'reviews' }).publish();
    await world.settle();
    const text = backend.metrics();
    for (const line of [
      'pilot_xds 1',
      'pilot_services 1',
      'heddle_instances 1',
      'citadel_server_root_cert_expiry_seconds 10',
    ])
      assert.ok(text.includes(`\n${line}\n`), line);
    assert.match(text, /pilot_xds_pushes\{type="cds"\} [1-9]/);
    assert.match(text, /pilot_proxy_convergence_time_count [1-9]/);
  });
});

describe('the analysis of the mesh', () => {
  it("finds what is wrong with stored objects, by Istio's levels, in all namespaces or in one", async () => {
    const world = await makeMeshWorld();
    const backend = backendOf(world);
    assert.deepEqual(backend.analysis(undefined), { objects: 0, findings: [] });
    await world.apply(routes);
    await world.apply('{apiVersion: v1, kind: Namespace, metadata: {name: shop}}');
    await world.settle();
    const { objects, findings } = backend.analysis(undefined);
    assert.equal(objects, 2);
    const brief = ({ level, kind, problem }: (typeof findings)[number]): string =>
      `${level} ${kind} ${problem.code} ${problem.path}`;
    assert.ok(
      findings.map(brief).includes('ERROR VirtualService IST0101 spec.http[0].route[0].destination.host'),
      findings.map(brief).join('\n'),
    );
    assert.deepEqual(backend.analysis('other'), { objects: 0, findings: [] });
    world.connect({ instance: 'reviews-1', service: 'reviews' }).publish();
    await world.settle();
    assert.ok(!backend.analysis(undefined).findings.some(({ level }) => level === 'ERROR'));
  });
});
