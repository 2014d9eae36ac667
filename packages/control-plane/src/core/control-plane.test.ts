import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TypeUrl, unpackAny } from '@heddle/xds';
import { makeMeshWorld, type MeshWorld, type TestSidecar } from '../testing/mesh-world.ts';

const reviewsHost = 'reviews.default.svc.cluster.local';
const reviewsCluster = `outbound|9080||${reviewsHost}`;

const destinationRule = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets:
  - {name: v1, labels: {version: v1}}
  - {name: v2, labels: {version: v2}}
`;

function virtualService(weights: readonly [number, number]): string {
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
  - route:
    - {destination: {host: reviews, subset: v1}, weight: ${weights[0]}}
    - {destination: {host: reviews, subset: v2}, weight: ${weights[1]}}
`;
}

async function bookstore(): Promise<{ world: MeshWorld; page: TestSidecar; reviews: TestSidecar[] }> {
  const world = await makeMeshWorld();
  const page = world.connect({ instance: 'page-1', service: 'productpage' });
  const reviews = [
    world.connect({ instance: 'reviews-1', service: 'reviews', version: 'v1' }),
    world.connect({ instance: 'reviews-2', service: 'reviews', version: 'v2' }),
  ];
  for (const sidecar of reviews) sidecar.publish().keep(world.clock);
  await world.settle();
  for (const sidecar of [page, ...reviews]) sidecar.responses = [];
  return { world, page, reviews };
}

function weights(sidecar: TestSidecar): [string, number][] {
  const { virtualHosts } = sidecar.get(TypeUrl.routeConfiguration, 'http-proxy|default');
  const host = virtualHosts.find(({ name }) => name === `${reviewsHost}:9080`);
  const action = host?.routes[0]?.action;
  const specifier = action?.$case === 'route' ? action.value.clusterSpecifier : undefined;
  if (specifier?.$case === 'cluster') return [[specifier.value, 1]];
  if (specifier?.$case !== 'weightedClusters') return [];
  return specifier.value.clusters.map(({ name, weight }) => [name, weight ?? 0]);
}

describe('the control plane', () => {
  it('gives a sidecar its listeners, all clusters, their endpoints and the trust bundle', async () => {
    const { page } = await bookstore();
    assert.deepEqual(page.names(TypeUrl.listener), ['inbound', 'outbound-proxy']);
    assert.deepEqual(page.names(TypeUrl.cluster), ['PassthroughCluster', 'inbound|9080||', reviewsCluster]);
    assert.deepEqual(page.endpoints(reviewsCluster), ['127.0.0.1:20001', '127.0.0.1:20002']);
    const secret = page.get(TypeUrl.secret, 'ROOTCA').type;
    assert.equal(secret?.$case, 'validationContext');
    assert.equal(page.client.isSynced, true);
  });

  it('sends exactly one endpoint resource where one endpoint changes', async () => {
    const { world, page, reviews } = await bookstore();
    const third = world.connect({ instance: 'reviews-3', service: 'reviews', version: 'v3' });
    await world.settle();
    third.publish().keep(world.clock);
    await world.settle();
    const expected = [{ type: 'ClusterLoadAssignment', names: [reviewsCluster], removed: [] }];
    for (const sidecar of [page, ...reviews]) assert.deepEqual(sidecar.responses, expected);
    assert.equal(page.endpoints(reviewsCluster).length, 3);
  });

  it('sends only routes where only routes change', async () => {
    const { world, page } = await bookstore();
    await world.apply(destinationRule);
    await world.settle();
    page.responses = [];
    await world.apply(virtualService([80, 20]));
    await world.settle();
    assert.deepEqual(page.responses, [
      { type: 'RouteConfiguration', names: ['http-proxy|default'], removed: [] },
    ]);
    assert.deepEqual(weights(page), [
      [`outbound|9080|v1|${reviewsHost}`, 80],
      [`outbound|9080|v2|${reviewsHost}`, 20],
    ]);
    page.responses = [];
    await world.apply(virtualService([80, 20]));
    await world.settle();
    assert.deepEqual(page.responses, []);
    await world.delete(virtualService([80, 20]));
    await world.settle();
    assert.deepEqual(weights(page), [[reviewsCluster, 1]]);
  });

  it('makes a cluster with its own endpoints of each subset, and takes them back', async () => {
    const { world, page } = await bookstore();
    await world.apply(destinationRule);
    await world.settle();
    assert.deepEqual(page.endpoints(`outbound|9080|v2|${reviewsHost}`), ['127.0.0.1:20002']);
    await world.delete(destinationRule);
    await world.clock.advanceAsync(6000);
    assert.deepEqual(page.names(TypeUrl.cluster), ['PassthroughCluster', 'inbound|9080||', reviewsCluster]);
  });

  it('makes peers prove one of the identities that instances of the service have proven', async () => {
    const { world, page } = await bookstore();
    const identities = (): string[] => {
      const socket = page.get(TypeUrl.cluster, reviewsCluster).transportSocket?.configType?.value;
      const tls = unpackAny(socket ?? assert.fail(), TypeUrl.upstreamTlsContext);
      const common = tls.ok ? tls.value.commonTlsContext : assert.fail();
      const context = common?.validationContextType;
      assert.equal(context?.$case, 'combinedValidationContext');
      if (context?.$case !== 'combinedValidationContext') return [];
      const sans = context.value.defaultValidationContext?.matchTypedSubjectAltNames ?? [];
      return sans.map(({ matcher }) =>
        matcher?.matchPattern?.$case === 'exact' ? matcher.matchPattern.value : 'anything',
      );
    };
    assert.deepEqual(identities(), ['spiffe://cluster.local/ns/default/sa/reviews']);
    await world.bindings.add({ namespace: 'default', serviceAccount: 'canary', service: 'reviews' });
    const other = world.connect({ instance: 'reviews-9', service: 'reviews', serviceAccount: 'canary' });
    page.responses = [];
    other.publish().keep(world.clock);
    await world.settle();
    assert.deepEqual(
      page.responses.map(({ type }) => type),
      ['Cluster', 'ClusterLoadAssignment'],
    );
    assert.deepEqual(identities(), [
      'spiffe://cluster.local/ns/default/sa/canary',
      'spiffe://cluster.local/ns/default/sa/reviews',
    ]);
  });

  it('confirms a withdrawal when every proxy has confirmed it', async () => {
    const { world, page, reviews } = await bookstore();
    const third = world.connect({ instance: 'reviews-3', service: 'reviews' });
    const lease = third.publish();
    await world.settle();
    page.isMute = true;
    lease.withdraw();
    await world.settle();
    assert.deepEqual(reviews[0]?.endpoints(reviewsCluster), ['127.0.0.1:20001', '127.0.0.1:20002']);
    assert.deepEqual(lease.answers, ['published for 5000, renew each 1250']);
    page.speak();
    await world.settle();
    assert.deepEqual(lease.answers.slice(1), ['withdrawn true 0']);
    assert.equal(world.controlPlane.leases.get('reviews-3'), undefined);
  });

  it('says after five seconds how many proxies have not confirmed a withdrawal', async () => {
    const { world, page } = await bookstore();
    const third = world.connect({ instance: 'reviews-3', service: 'reviews' });
    const lease = third.publish();
    await world.settle();
    page.isMute = true;
    lease.withdraw();
    await world.clock.advanceAsync(5500);
    assert.deepEqual(lease.answers.slice(1), ['withdrawn false 1']);
  });

  it('tells a withdrawal that cannot be stored, although proxies are slower than the store', async () => {
    const { world, page } = await bookstore();
    const lease = world.connect({ instance: 'reviews-3', service: 'reviews' }).publish();
    await world.settle();
    page.isMute = true;
    world.instanceStore.remove = () => Promise.reject(new Error('the disk is full'));
    lease.withdraw();
    await world.clock.advanceAsync(5500);
    assert.match(lease.answers[1] ?? '', /could not store/);
  });

  it('ends a stream that says more than can be answered', async () => {
    const world = await makeMeshWorld();
    world.instanceStore.put = () => new Promise(() => {});
    const lease = world.connect({ instance: 'reviews-1', service: 'reviews' }).publish();
    for (let count = 0; count < 20; count++) lease.withdraw();
    await world.settle();
    assert.match(lease.answers[0] ?? '', /^end 8 /);
  });

  it('takes no instance whose protocol is a novel', async () => {
    const world = await makeMeshWorld();
    const sidecar = world.connect({ instance: 'reviews-1', service: 'reviews' });
    const lease = sidecar.publish({ protocol: 'x'.repeat(100_000) });
    await world.settle();
    assert.match(lease.answers[0] ?? '', /protocol is not valid/);
  });

  it('keeps a service without instances known for ten minutes, then leaves nothing of it', async () => {
    const world = await makeMeshWorld();
    const page = world.connect({ instance: 'page-1', service: 'productpage' });
    const lease = world.connect({ instance: 'reviews-1', service: 'reviews' }).publish();
    await world.settle();
    assert.ok(page.names(TypeUrl.cluster).includes(reviewsCluster));
    lease.withdraw();
    await world.clock.advanceAsync(6000);
    assert.match(lease.answers[1] ?? '', /^withdrawn true 0/);
    assert.ok(page.names(TypeUrl.cluster).includes(reviewsCluster));
    assert.equal(page.endpoints(reviewsCluster).length, 0);
    await world.clock.advanceAsync(600_000);
    assert.deepEqual(page.names(TypeUrl.cluster), ['PassthroughCluster', 'inbound|9080||']);
    assert.equal(world.controlPlane.model.hosts.size, 0);
  });

  it('removes an instance two seconds after its stream broke', async () => {
    const { world, page } = await bookstore();
    const third = world.connect({ instance: 'reviews-3', service: 'reviews' });
    const lease = third.publish().keep(world.clock);
    await world.settle();
    lease.cancel();
    await world.clock.advanceAsync(1900);
    assert.equal(page.endpoints(reviewsCluster).length, 3);
    await world.clock.advanceAsync(300);
    assert.equal(page.endpoints(reviewsCluster).length, 2);
  });

  it('refuses a node that says it is somebody else than its certificate', async () => {
    const world = await makeMeshWorld();
    const liars = [
      { instance: 'a', service: 'a', metadata: { NAMESPACE: 'other' } },
      { instance: 'a', service: 'a', metadata: { SERVICE_ACCOUNT: 'admin' } },
      { instance: 'a', service: 'a', metadata: { APP_PORT: 'many' } },
    ];
    const sidecars = liars.map((plan) => world.connect(plan));
    await world.settle();
    for (const sidecar of sidecars) assert.deepEqual(sidecar.responses, []);
    assert.deepEqual(world.controlPlane.ads.status(), []);
  });

  it('refuses instances that do not fit the certificate or that nobody could reach', async () => {
    const world = await makeMeshWorld();
    const sidecar = world.connect({ instance: 'a-1', service: 'a' });
    const leases = [
      sidecar.publish({ namespace: 'other' }),
      sidecar.publish({ address: 'example.com' }),
      sidecar.publish({ port: 0 }),
      sidecar.publish({ service: 'a|b' }),
      sidecar.publish({ instance: '' }),
    ];
    await world.settle();
    for (const { answers } of leases) assert.match(answers.join(), /^end 7 The instance is refused/);
    assert.equal(world.controlPlane.leases.size, 0);
  });

  it('takes in no instance of a service that its account is neither named like nor bound to', async () => {
    const { world, page } = await bookstore();
    await world.bindings.add({ namespace: 'default', serviceAccount: 'alpha', service: 'ratings' });
    await world.bindings.add({ namespace: 'other', serviceAccount: 'alpha', service: 'reviews' });
    const thief = world.connect({ instance: 'thief-1', service: 'reviews', serviceAccount: 'alpha' });
    await world.settle();
    page.responses = [];
    const lease = thief.publish();
    await world.settle();
    assert.deepEqual(lease.answers, [
      'end 7 Service account default/alpha may not be an instance of service reviews: join with a token that is not bound to a service account, or name the account like the service.',
    ]);
    assert.deepEqual(page.responses, []);
  });

  it('goes on after a restart with what was stored', async () => {
    const { world } = await bookstore();
    await world.apply(destinationRule + '---' + virtualService([50, 50]));
    await world.controlPlane.close();
    const again = await makeMeshWorld({ config: world.configStore, instances: world.instanceStore });
    const page = again.connect({ instance: 'page-1', service: 'productpage' });
    await again.settle();
    assert.equal(page.endpoints(reviewsCluster).length, 2);
    assert.equal(weights(page).length, 2);
    assert.equal(again.controlPlane.leases.get('reviews-1')?.state, 'restored');
    // Nobody reports within a lease.
    await again.clock.advanceAsync(11_000);
    assert.equal(page.endpoints(reviewsCluster).length, 0);
  });

  it('leaves no timer behind when it is closed', async () => {
    const world = await makeMeshWorld();
    await world.controlPlane.leases.publish({
      instance: 'a',
      namespace: 'default',
      service: 'a',
      serviceAccount: 'a',
      servicePort: 1,
      protocol: 'http',
      address: '127.0.0.1',
      port: 1,
      labels: {},
      takesTunnels: false,
      publishedAt: 0,
    });
    await world.controlPlane.close();
    assert.equal(world.clock.pendingTimers, 0);
  });
});
