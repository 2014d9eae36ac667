import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TypeUrl, unpackAny } from '@heddle/xds';
import type { Node } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import { makeMeshWorld, type MeshWorld, type TestSidecar } from '../testing/mesh-world.ts';

const sidecar = (app: string, hosts: readonly string[], rest = ''): string => `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: ${app}}
spec: {workloadSelector: {labels: {app: ${app}}}, egress: [{hosts: ${JSON.stringify(hosts)}}]${rest}}
`;

const clusterOf = (service: string): string => `outbound|9080||${service}.default.svc.cluster.local`;
const hostOf = (service: string): string => `*/${service}.default.svc.cluster.local`;

async function meshOf(services: readonly string[]): Promise<MeshWorld> {
  const world = await makeMeshWorld();
  for (const [index, service] of services.entries())
    world
      .connect({ instance: `${service}-${index}`, service })
      .publish()
      .keep(world.clock);
  await world.settle();
  return world;
}

const outbound = (proxy: TestSidecar, type: TypeUrl = TypeUrl.cluster): string[] =>
  proxy.names(type).filter((name) => name.startsWith('outbound|'));

function routedHosts(proxy: TestSidecar): string[] {
  const { virtualHosts } = proxy.get(TypeUrl.routeConfiguration, 'http-proxy|default');
  return virtualHosts.map(({ name }) => name.split('.')[0]!);
}

test('proxies with different Sidecars see different parts, of the same bytes', async () => {
  const world = await meshOf(['a', 'b', 'c']);
  await world.apply(sidecar('one', [hostOf('a'), hostOf('b')]));
  await world.apply(sidecar('two', [hostOf('b'), hostOf('c')]));
  const one = world.connect({ instance: 'one-1', service: 'one' });
  const two = world.connect({ instance: 'two-1', service: 'two' });
  const all = world.connect({ instance: 'all-1', service: 'all' });
  await world.settle();
  for (const type of [TypeUrl.cluster, TypeUrl.clusterLoadAssignment]) {
    assert.deepEqual(outbound(one, type), [clusterOf('a'), clusterOf('b')]);
    assert.deepEqual(outbound(two, type), [clusterOf('b'), clusterOf('c')]);
    assert.deepEqual(outbound(all, type), [clusterOf('a'), clusterOf('b'), clusterOf('c')]);
  }
  assert.deepEqual(routedHosts(one), ['a', 'b', 'allow_any']);
  assert.deepEqual(routedHosts(two), ['b', 'c', 'allow_any']);
  const { source } = world.controlPlane;
  const clients = world.controlPlane.ads.status().filter(({ node }) => /~(one|two|all)-1~/.test(node.id));
  assert.equal(clients.length, 3);
  const objects = new Set(clients.map((client) => source.get(client, TypeUrl.cluster, clusterOf('b'))));
  assert.equal(objects.size, 1, 'encoded once, whoever sees it');
});

test('a change of a Sidecar brings and takes exactly the difference, to whom it is for', async () => {
  const world = await meshOf(['a', 'b', 'c']);
  await world.apply(sidecar('one', [hostOf('a'), hostOf('b')]));
  const one = world.connect({ instance: 'one-1', service: 'one' });
  const other = world.connect({ instance: 'other-1', service: 'other' });
  await world.settle();
  for (const proxy of [one, other]) proxy.responses = [];
  await world.apply(sidecar('one', [hostOf('b'), hostOf('c')]));
  await world.clock.advanceAsync(6000);
  assert.deepEqual(outbound(one), [clusterOf('b'), clusterOf('c')]);
  const clusters = one.responses.filter(({ type }) => type === 'Cluster');
  assert.deepEqual(
    clusters.flatMap(({ names }) => names),
    [clusterOf('c')],
  );
  assert.deepEqual(
    clusters.flatMap(({ removed }) => removed),
    [clusterOf('a')],
  );
  assert.deepEqual(routedHosts(one), ['b', 'c', 'allow_any']);
  assert.deepEqual(other.responses, []);
  await world.delete(sidecar('one', []));
  await world.settle();
  assert.deepEqual(outbound(one).length, 3);
});

test('what comes up beside the view is not sent, what comes up in it is', async () => {
  const world = await meshOf(['a']);
  await world.apply(sidecar('one', [hostOf('a'), hostOf('b')]));
  const one = world.connect({ instance: 'one-1', service: 'one' });
  await world.settle();
  one.responses = [];
  world.connect({ instance: 'c-1', service: 'c' }).publish().keep(world.clock);
  await world.settle();
  assert.deepEqual(one.responses, []);
  world.connect({ instance: 'b-1', service: 'b' }).publish().keep(world.clock);
  await world.settle();
  assert.deepEqual(outbound(one), [clusterOf('a'), clusterOf('b')]);
  assert.deepEqual(routedHosts(one), ['a', 'b', 'allow_any']);
});

test('rules lead where requests may not be addressed to', async () => {
  const world = await meshOf(['a', 'c']);
  await world.apply(sidecar('one', [hostOf('a')]));
  const one = world.connect({ instance: 'one-1', service: 'one' });
  await world.settle();
  assert.deepEqual(outbound(one), [clusterOf('a')]);
  const rule = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a}
spec: {hosts: [a], http: [{route: [{destination: {host: c}}]}]}
`;
  await world.apply(rule);
  await world.settle();
  assert.deepEqual(outbound(one), [clusterOf('a'), clusterOf('c')]);
  assert.deepEqual(outbound(one, TypeUrl.clusterLoadAssignment), [clusterOf('a'), clusterOf('c')]);
  assert.deepEqual(routedHosts(one), ['a', 'allow_any']);
  await world.delete(rule);
  await world.clock.advanceAsync(6000);
  assert.deepEqual(outbound(one), [clusterOf('a')]);
});

test('where only what is known may be reached, the rest goes nowhere', async () => {
  const world = await meshOf(['a']);
  const metadata = {
    INTERCEPTION: { MODE: 'REDIRECT', ADDRESS: '::', OUTBOUND_PORT: 15_001, INBOUND_PORT: 15_006 },
  };
  const one = world.connect({ instance: 'one-1', service: 'one', metadata });
  await world.settle();
  const defaultCluster = (): unknown => {
    const chain = one.get(TypeUrl.listener, 'virtualOutbound').defaultFilterChain;
    const proxy = unpackAny(chain!.filters[0]!.configType!.value, TypeUrl.tcpProxy);
    return proxy.ok ? proxy.value.clusterSpecifier?.value : undefined;
  };
  assert.equal(defaultCluster(), 'OriginalDestinationCluster');
  await world.apply(sidecar('one', ['*/*'], ', outboundTrafficPolicy: {mode: REGISTRY_ONLY}'));
  await world.settle();
  assert.equal(defaultCluster(), 'BlackHoleCluster');
  assert.ok(one.names(TypeUrl.cluster).includes('BlackHoleCluster'));
  for (const kind of ['http-proxy', 'intercepted']) {
    const rest = one.get(TypeUrl.routeConfiguration, `${kind}|default`).virtualHosts.at(-1);
    const action = rest?.routes[0]?.action;
    assert.equal(action?.$case, 'directResponse');
    assert.equal(action.value.status, 502);
  }
});

test('nobody gets the routes of another namespace', async () => {
  const world = await meshOf(['a']);
  const one = world.connect({ instance: 'one-1', service: 'one' });
  await world.settle();
  const client = world.controlPlane.ads.status().find(({ node }) => node.id.includes('one-1'));
  const { source } = world.controlPlane;
  assert.equal(source.get(client!, TypeUrl.routeConfiguration, 'http-proxy|secret'), undefined);
  assert.ok(source.get(client!, TypeUrl.routeConfiguration, 'http-proxy|default') !== undefined);
  one.close();
});

test('many Sidecars cost little: what they show is the same objects', async () => {
  const world = await meshOf(['a', 'b']);
  const count = 100;
  const text = Array.from({ length: count }, (_, index) => sidecar(`s${index}`, [hostOf('a')])).join('---');
  assert.ok((await world.apply(text)).ok);
  const { source } = world.controlPlane;
  const [client] = world.controlPlane.ads.status();
  const seen = new Set<unknown>();
  for (let index = 0; index < count; index++) {
    const node: Node = {
      ...client!.node,
      id: `n${index}`,
      metadata: { ...client!.node.metadata, LABELS: { app: `s${index}` } },
    };
    const proxy = { node, peer: client!.peer };
    seen.add(source.get(proxy, TypeUrl.cluster, clusterOf('a')));
    seen.add(source.get(proxy, TypeUrl.routeConfiguration, 'http-proxy|default'));
    assert.equal(source.get(proxy, TypeUrl.cluster, clusterOf('b')), undefined);
  }
  assert.equal(seen.size, 2);
});
