import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '@heddle/base';
import { encodeMessage, TypeUrl } from '@heddle/xds';
import { testRequest } from '../routing/request-view-harness.ts';
import {
  ads,
  assignment,
  edsCluster,
  Harness,
  listener,
  rdsListener,
  routes,
  sidecar,
} from './config-store-harness.ts';

test('a request goes from listener to endpoint once all resources have arrived', () => {
  const harness = sidecar();
  assert.equal(harness.send('out', 'a'), '10.0.0.1:1');
  assert.equal(harness.send('out', 'b'), '10.0.0.1:2');
  assert.equal(harness.send('out', 'c'), 'no route');
});

test('asks for the endpoints of clusters and the routes of listeners, and gives them up with them', () => {
  const harness = new Harness();
  harness.accept(TypeUrl.cluster, 'a', edsCluster('a'));
  harness.accept(
    TypeUrl.cluster,
    'b',
    edsCluster('b', { edsClusterConfig: { edsConfig: ads, serviceName: 'a' } }),
  );
  harness.accept(TypeUrl.listener, 'one', rdsListener('one', 'r'));
  harness.accept(TypeUrl.listener, 'two', rdsListener('two', 'r'));
  assert.deepEqual(harness.takeEvents(), ['+eds a', '+rds r', 'listener one', 'listener two']);
  harness.store.remove(TypeUrl.listener, 'one');
  harness.store.remove(TypeUrl.cluster, 'a');
  assert.deepEqual(harness.takeEvents(), ['no listener one']);
  harness.store.remove(TypeUrl.listener, 'two');
  harness.store.remove(TypeUrl.cluster, 'b');
  assert.deepEqual(harness.takeEvents(), ['no listener two', '-rds r', '-eds a']);
});

test('is warm once listeners have routes and these have endpoints', () => {
  const harness = new Harness();
  const { store } = harness;
  store.commit(TypeUrl.listener);
  assert.equal(store.isWarm, false);
  harness.accept(TypeUrl.cluster, 'a', edsCluster('a'));
  harness.accept(TypeUrl.listener, 'out', rdsListener('out', 'r'));
  assert.equal(store.isWarm, false);
  harness.accept(TypeUrl.routeConfiguration, 'r', routes('r', { a: 'a', other: 'unknown' }));
  assert.equal(store.isWarm, false);
  harness.accept(TypeUrl.clusterLoadAssignment, 'a', assignment('a', 1));
  assert.equal(store.isWarm, true);
});

test('what the control plane does not have keeps nobody waiting', () => {
  const harness = new Harness();
  const { store } = harness;
  harness.accept(TypeUrl.cluster, 'a', edsCluster('a'));
  harness.accept(TypeUrl.listener, 'one', rdsListener('one', 'r'));
  harness.accept(TypeUrl.listener, 'two', rdsListener('two', 'none', 15_002));
  store.commit(TypeUrl.listener);
  harness.accept(TypeUrl.routeConfiguration, 'r', routes('r', { a: 'a' }));
  store.remove(TypeUrl.clusterLoadAssignment, 'a');
  assert.equal(store.isWarm, false);
  store.remove(TypeUrl.routeConfiguration, 'none');
  assert.equal(store.isWarm, true);
  assert.equal(harness.send('one', 'a'), 'no endpoint');
  assert.equal(harness.send('two', 'a'), 'no route');
});

test('builds a cluster when the first request comes, not before', () => {
  const harness = sidecar();
  assert.deepEqual([...harness.store.clusters.built()], []);
  harness.send('out', 'a');
  assert.deepEqual(
    [...harness.store.clusters.built()].map((cluster) => cluster.name),
    ['a'],
  );
});

test('endpoints that change reach a cluster in use, and those that stay keep their connections', () => {
  const harness = sidecar();
  harness.send('out', 'a');
  const [cluster] = harness.store.clusters.built();
  const [endpoint] = cluster!.endpoints;
  harness.accept(TypeUrl.clusterLoadAssignment, 'a', assignment('a', 1, 5));
  assert.equal(cluster!.endpoints[0], endpoint);
  assert.deepEqual(
    new Set([harness.send('out', 'a'), harness.send('out', 'a')]),
    new Set(['10.0.0.1:1', '10.0.0.1:5']),
  );
  harness.accept(TypeUrl.clusterLoadAssignment, 'a', assignment('a', 5));
  assert.equal(endpoint?.pool.isClosed, true);
  assert.equal(harness.send('out', 'a'), '10.0.0.1:5');
});

test('a removed load assignment leaves its cluster without endpoints', () => {
  const harness = sidecar();
  harness.send('out', 'a');
  harness.store.remove(TypeUrl.clusterLoadAssignment, 'a');
  assert.equal(harness.send('out', 'a'), 'no endpoint');
});

test('a changed cluster is used from the next request on, with the endpoints that are known', () => {
  const harness = sidecar();
  harness.send('out', 'a');
  const [before] = harness.store.clusters.built();
  const [endpoint] = before!.endpoints;
  before!.metrics.requestsTotal.value = 7;
  harness.accept(TypeUrl.cluster, 'a', edsCluster('a', { connectTimeout: { seconds: 1, nanos: 0 } }));
  assert.equal(harness.send('out', 'a'), '10.0.0.1:1');
  const [after] = harness.store.clusters.built();
  assert.notEqual(after, before);
  assert.equal(after!.config.connections.connectTimeoutMs, 1000);
  assert.equal(endpoint?.pool.isClosed, true);
  assert.equal(after!.metrics.requestsTotal.value, 7);
});

test('a cluster that changed still hears of its endpoints', () => {
  const harness = sidecar();
  harness.accept(TypeUrl.cluster, 'a', edsCluster('a', { connectTimeout: { seconds: 1, nanos: 0 } }));
  assert.equal(harness.send('out', 'a'), '10.0.0.1:1');
  harness.accept(TypeUrl.clusterLoadAssignment, 'a', assignment('a', 7));
  assert.equal(harness.send('out', 'a'), '10.0.0.1:7');
  assert.deepEqual(harness.takeEvents(), []);
});

test('names that no route leads to any more are forgotten', () => {
  const harness = sidecar();
  const slot = harness.store.clusters.slot('gone');
  harness.accept(TypeUrl.routeConfiguration, 'r', routes('r', { a: 'a', x: 'gone' }));
  assert.equal(slot.references, 1);
  harness.accept(TypeUrl.routeConfiguration, 'r', routes('r', { a: 'a' }));
  assert.equal(slot.references, 0);
  assert.notEqual(harness.store.clusters.slot('gone'), slot);
});

test('a change without effect on a cluster keeps its connections', () => {
  const harness = sidecar();
  harness.send('out', 'a');
  const [before] = harness.store.clusters.built();
  const [endpoint] = before!.endpoints;
  harness.accept(TypeUrl.cluster, 'a', edsCluster('a', { altStatName: 'other' }));
  assert.equal(endpoint?.pool.isClosed, false);
  assert.equal([...harness.store.clusters.built()][0], before);
});

test('a removed cluster is none for the routes that name it, until it comes again', () => {
  const harness = sidecar();
  harness.send('out', 'a');
  harness.store.remove(TypeUrl.cluster, 'a');
  assert.equal(harness.send('out', 'a'), 'no cluster');
  harness.accept(TypeUrl.cluster, 'a', edsCluster('a'));
  assert.equal(harness.send('out', 'a'), 'no endpoint');
  harness.accept(TypeUrl.clusterLoadAssignment, 'a', assignment('a', 9));
  assert.equal(harness.send('out', 'a'), '10.0.0.1:9');
});

test('a static cluster brings its endpoints along, and updates them', () => {
  const harness = new Harness();
  const cluster = (...ports: number[]) => ({ name: 's', loadAssignment: assignment('s', ...ports) });
  harness.accept(TypeUrl.cluster, 's', cluster(1, 2));
  harness.accept(
    TypeUrl.listener,
    'in',
    listener('in', { routeSpecifier: { $case: 'routeConfig', value: routes('', { '*': 's' }) } }),
  );
  harness.store.commit(TypeUrl.listener);
  assert.equal(harness.store.isWarm, true);
  assert.match(harness.send('in', 'x'), /^10\.0\.0\.1:[12]$/);
  const kept = [...harness.store.clusters.built()][0]!.endpoints.find(({ port }) => port === 2);
  harness.accept(TypeUrl.cluster, 's', cluster(2));
  assert.equal(harness.send('in', 'x'), '10.0.0.1:2');
  assert.equal(kept?.pool.isClosed, false);
});

test('a pass-through cluster sends to the host that the request names', () => {
  const harness = new Harness();
  harness.accept(TypeUrl.cluster, 'PassthroughCluster', {
    name: 'PassthroughCluster',
    clusterDiscoveryType: { $case: 'clusterType', value: { name: 'envoy.clusters.dynamic_forward_proxy' } },
    lbPolicy: 6,
  });
  harness.accept(TypeUrl.listener, 'out', rdsListener('out', 'r'));
  harness.accept(TypeUrl.routeConfiguration, 'r', routes('r', { '*': 'PassthroughCluster' }));
  harness.store.commit(TypeUrl.listener);
  assert.equal(harness.store.isWarm, true);
  assert.equal(harness.send('out', 'example.com:8080'), 'example.com:8080');
});

test('an update of routes is seen by listeners that exist already', () => {
  const harness = sidecar();
  harness.accept(TypeUrl.routeConfiguration, 'r', routes('r', { a: 'b' }));
  assert.equal(harness.send('out', 'a'), '10.0.0.1:2');
  assert.equal(harness.send('out', 'b'), 'no route');
  assert.deepEqual(harness.takeEvents(), []);
});

test('virtual hosts that did not change keep their compiled routes', () => {
  const harness = sidecar();
  const table = () => harness.routesOf('out')!.current!;
  harness.send('out', 'a');
  const [a, b] = table().virtualHosts;
  harness.accept(TypeUrl.routeConfiguration, 'r', routes('r', { c: 'a', a: 'a', b: 'a' }));
  assert.equal(table().virtualHosts[1], a);
  assert.notEqual(table().virtualHosts[2], b);
  assert.equal(harness.send('out', 'a'), '10.0.0.1:1');
  assert.equal(harness.send('out', 'b'), '10.0.0.1:1');
  assert.equal(harness.send('out', 'c'), '10.0.0.1:1');
});

test('virtual hosts are compiled anew when what is around them changed', () => {
  const harness = sidecar();
  harness.accept(TypeUrl.routeConfiguration, 'r', {
    ...routes('r', { a: 'a' }),
    requestHeadersToAdd: [{ header: { key: 'x', value: 'y' } }],
  });
  const match = harness.routesOf('out')!.current!.match(testRequest({ authority: 'a' }), systemRandom);
  assert.equal(match?.requestHeaders?.length, 1);
});

test('a resource that is refused leaves the state before, and says where it is wrong', () => {
  const harness = sidecar();
  harness.send('out', 'a');
  assert.match(
    harness.apply(TypeUrl.cluster, 'a', edsCluster('a', { lbPolicy: 7 })) ?? '',
    /^lb_policy: LOAD_BALANCING_POLICY_CONFIG is not supported yet$/,
  );
  assert.match(
    harness.apply(TypeUrl.clusterLoadAssignment, 'a', {
      clusterName: 'a',
      endpoints: [{ priority: 1, lbEndpoints: assignment('a', 3).endpoints[0]!.lbEndpoints }],
    }) ?? '',
    /^endpoints: priority 1 is used, 0 is not$/,
  );
  const bad = routes('r', { a: 'b', b: 'b' });
  bad.virtualHosts![1]!.routes = [{ match: {} }];
  assert.match(harness.apply(TypeUrl.routeConfiguration, 'r', bad) ?? '', /^virtual_hosts\[1\]\.routes\[0\]/);
  assert.notEqual(harness.apply(TypeUrl.listener, 'out', listener('out', {})), null);
  assert.equal(harness.send('out', 'a'), '10.0.0.1:1');
  assert.deepEqual(harness.takeEvents(), []);
});

test('a refused listener holds on to nothing', () => {
  const harness = new Harness();
  harness.accept(TypeUrl.cluster, 's', { name: 's', loadAssignment: assignment('s', 1) });
  const reason = harness.apply(TypeUrl.listener, 'in', {
    ...listener('in', { routeSpecifier: { $case: 'routeConfig', value: routes('', { '*': 's' }) } }),
    tcpBacklogSize: 5,
  });
  assert.equal(reason, 'tcp_backlog_size: is not supported yet');
  assert.equal(harness.store.clusters.slot('s').references, 0);
  assert.deepEqual(harness.takeEvents(), []);
});

test('an unknown field in one virtual host is refused at its place', () => {
  const harness = sidecar();
  const bytes = encodeMessage(TypeUrl.routeConfiguration, routes('r', { a: 'a', b: 'b' }));
  // Field 17 of a virtual host (hedge_policy) with an empty message, put into the second one.
  const hedgePolicy = Buffer.from([0x8a, 0x01, 0x00]);
  const second = Buffer.from(
    encodeMessage(TypeUrl.routeConfiguration, { virtualHosts: routes('r', { b: 'b' }).virtualHosts! }),
  );
  const start = Buffer.from(bytes).indexOf(second);
  assert.ok(start > 0);
  const grown = Buffer.concat([bytes.subarray(0, start), second, hedgePolicy]);
  grown[start + 1]! += hedgePolicy.length;
  const reason = harness.store.apply(TypeUrl.routeConfiguration, { name: 'r', version: '2', bytes: grown });
  assert.match(reason ?? '', /virtual_hosts\[1\]\.hedge_policy: .*not supported/);
});

test('bytes that are no message are refused', () => {
  const harness = sidecar();
  for (const typeUrl of [
    TypeUrl.cluster,
    TypeUrl.clusterLoadAssignment,
    TypeUrl.listener,
    TypeUrl.routeConfiguration,
  ]) {
    for (const bytes of [
      Buffer.from([0x0a, 0x7f]),
      Buffer.from([0xff]),
      Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0x0f]),
    ]) {
      const name = typeUrl === TypeUrl.routeConfiguration ? 'r' : 'x';
      assert.notEqual(
        harness.store.apply(typeUrl, { name, version: '1', bytes }),
        null,
        `${typeUrl} ${bytes.toString('hex')}`,
      );
    }
  }
  assert.equal(harness.send('out', 'a'), '10.0.0.1:1');
});

test('a resource under another name than its own is refused', () => {
  const harness = sidecar();
  assert.match(
    harness.apply(TypeUrl.cluster, 'x', edsCluster('a')) ?? '',
    /^name: "a" is not the resource's name$/,
  );
  assert.match(harness.apply(TypeUrl.listener, 'x', rdsListener('out', 'r')) ?? '', /^name: "out"/);
});

test('the same bytes again change nothing', () => {
  const harness = sidecar();
  harness.accept(TypeUrl.listener, 'out', rdsListener('out', 'r'));
  const table = harness.routesOf('out')!.current;
  harness.accept(TypeUrl.routeConfiguration, 'r', routes('r', { a: 'a', b: 'b' }));
  assert.equal(harness.routesOf('out')!.current, table);
  assert.deepEqual(harness.takeEvents(), []);
});

test('requests on a listener that was replaced or removed are still routed', () => {
  const harness = new Harness();
  harness.accept(TypeUrl.cluster, 's', { name: 's', loadAssignment: assignment('s', 1) });
  const inline = (domain: string) =>
    listener('in', { routeSpecifier: { $case: 'routeConfig', value: routes('', { [domain]: 's' }) } });
  harness.accept(TypeUrl.listener, 'in', inline('a'));
  const before = harness.listeners.get('in')!;
  harness.accept(TypeUrl.listener, 'in', inline('b'));
  assert.equal(harness.send('in', 'b'), '10.0.0.1:1');
  harness.listeners.set('old', before);
  assert.equal(harness.send('old', 'a'), '10.0.0.1:1');
  harness.store.remove(TypeUrl.listener, 'in');
  assert.equal(harness.send('in', 'b'), '10.0.0.1:1');
});

test('a table that the control plane takes back stays in use', () => {
  const harness = sidecar();
  harness.store.remove(TypeUrl.routeConfiguration, 'r');
  assert.equal(harness.send('out', 'a'), '10.0.0.1:1');
  assert.equal(harness.store.isWarm, true);
});

test('a large route configuration is taken in steps, and is in force after the last', () => {
  const harness = sidecar();
  const hosts = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`h${i}`, 'a']));
  const resource = harness.resource(TypeUrl.routeConfiguration, 'r', routes('r', hosts));
  const steps = harness.store.applySteps(TypeUrl.routeConfiguration, resource);
  let count = 0;
  for (;;) {
    const step = steps.next();
    if (step.done === true) {
      assert.equal(step.value, null);
      break;
    }
    count++;
    assert.equal(harness.send('out', 'h0'), 'no route');
  }
  assert.ok(count >= 10, `${count} steps`);
  assert.equal(harness.send('out', 'h99'), '10.0.0.1:1');
});

test('a route configuration that nobody wants any more when its last step is done holds on to nothing', () => {
  const harness = sidecar();
  const hosts = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`h${i}`, 'only-here']));
  const resource = harness.resource(TypeUrl.routeConfiguration, 'r', routes('r', hosts));
  const steps = harness.store.applySteps(TypeUrl.routeConfiguration, resource);
  assert.equal(steps.next().done, false);
  harness.store.remove(TypeUrl.listener, 'out');
  while (steps.next().done !== true) {
    // Each call takes one step.
  }
  assert.equal(harness.store.clusters.slot('only-here').references, 0);
});
