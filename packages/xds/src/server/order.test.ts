import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serveSource } from '../testing/served-source.ts';
import type { ServedSource } from '../testing/served-source.ts';
import { TestClient, settle } from '../testing/test-client.ts';
import { TypeUrl } from '../type-url.ts';
import type { DeltaServerOptions } from './delta-server.ts';

const { cluster, clusterLoadAssignment, listener, routeConfiguration, secret } = TypeUrl;

describe('DeltaServer: order', () => {
  /** A client with cluster `old`, a listener and a route; everything acknowledged. */
  async function inUse(
    options: Partial<DeltaServerOptions> = {},
  ): Promise<ServedSource & { client: TestClient }> {
    const mesh = serveSource(options);
    mesh.source.set(cluster, 'old', '1').set(clusterLoadAssignment, 'old', '1');
    mesh.source.set(listener, 'l', '1').set(routeConfiguration, 'r', '1').tell();
    const client = new TestClient(mesh.server);
    await client.subscribe(cluster);
    await client.takeAndAck();
    await client.subscribe(clusterLoadAssignment, 'old');
    await client.takeAndAck();
    await client.subscribe(listener);
    await client.takeAndAck();
    await client.subscribe(routeConfiguration, 'r');
    await client.takeAndAck();
    await client.takeNothing();
    return { ...mesh, client };
  }

  it('makes before it breaks: clusters, endpoints, listeners, routes, and then what is no longer used', async () => {
    const { source, client } = await inUse();
    source.set(cluster, 'new', '1').set(clusterLoadAssignment, 'new', '1');
    source.remove(cluster, 'old').remove(clusterLoadAssignment, 'old');
    source.set(listener, 'l', '2').set(routeConfiguration, 'r', '2').tell();

    const clusters = await client.take();
    assert.deepEqual([clusters.resources, clusters.removed], [['new@1'], []]);
    await client.ack(clusters);
    // The cluster has no endpoints yet: nothing may use it.
    await client.takeNothing();
    await client.subscribe(clusterLoadAssignment, 'new');
    const endpoints = await client.take();
    assert.deepEqual([endpoints.resources, endpoints.removed], [['new@1'], []]);
    await client.ack(endpoints);
    await settle();
    assert.deepEqual(
      client.received.map(({ typeUrl, resources }) => [typeUrl, resources]),
      [
        [listener, ['l@2']],
        [routeConfiguration, ['r@2']],
      ],
    );
    const [listeners, routes] = client.received.splice(0);
    await client.ack(listeners!);
    // The old routes may still use the old cluster.
    await client.takeNothing();
    await client.ack(routes!);
    await settle();
    assert.deepEqual(
      client.received.map(({ typeUrl, removed }) => [typeUrl, removed]),
      [
        [cluster, ['old']],
        [clusterLoadAssignment, ['old']],
      ],
    );
  });

  it('sends the endpoints of a changed cluster again, although they are the same', async () => {
    const { source, client } = await inUse();
    source.set(cluster, 'old', '2').tell();
    await settle();
    assert.deepEqual(
      client.received.map(({ typeUrl, resources }) => [typeUrl, resources]),
      [
        [cluster, ['old@2']],
        [clusterLoadAssignment, ['old@1']],
      ],
    );
  });

  it('does not let a client that never asks for endpoints hold up its routes for ever', async () => {
    const { source, client, clock } = await inUse();
    source
      .set(cluster, 'new', '1')
      .set(clusterLoadAssignment, 'new', '1')
      .set(routeConfiguration, 'r', '2')
      .tell();
    await client.takeAndAck();
    await client.takeNothing();
    clock.advance(5000);
    assert.deepEqual((await client.take()).resources, ['r@2']);
  });

  it('holds back a removal while the routes are refused, and then lets it go', async () => {
    const { source, client, clock } = await inUse();
    source.remove(cluster, 'old').set(routeConfiguration, 'r', '2').tell();
    await client.nack(await client.take(), 'r: no');
    await client.takeNothing();
    clock.advance(4999);
    await client.takeNothing();
    clock.advance(1);
    assert.deepEqual((await client.take()).removed, ['old']);
  });

  it('forgets a removal when the resource comes back in time', async () => {
    const { source, client, clock } = await inUse();
    source.remove(cluster, 'old').set(routeConfiguration, 'r', '2').tell();
    const routes = await client.take();
    source.set(cluster, 'old', '1').tell();
    await client.ack(routes);
    clock.advance(10_000);
    await client.takeNothing();
  });

  it('does not hold up routes for a cluster that was refused', async () => {
    const { source, client } = await inUse();
    source
      .set(cluster, 'new', '1')
      .set(clusterLoadAssignment, 'new', '1')
      .set(routeConfiguration, 'r', '2')
      .tell();
    await client.nack(await client.take(), 'new: no');
    assert.deepEqual((await client.take()).resources, ['r@2']);
  });

  it('waits with the routes until clusters without endpoints of their own are confirmed', async () => {
    const { source, client } = await inUse();
    source.set(cluster, 'static', '1').set(routeConfiguration, 'r', '2').tell();
    const clusters = await client.take();
    assert.deepEqual(clusters.resources, ['static@1']);
    await client.ack(clusters);
    assert.deepEqual((await client.take()).resources, ['r@2']);
  });

  it('removes a cluster at once when the routes that were told to have changed come out the same', async () => {
    const { source, client } = await inUse();
    source.remove(cluster, 'old').remove(clusterLoadAssignment, 'old');
    source.set(listener, 'l', '1').set(routeConfiguration, 'r', '1').tell();
    await settle();
    assert.deepEqual(
      client.received.map(({ typeUrl, removed }) => [typeUrl, removed]),
      [
        [cluster, ['old']],
        [clusterLoadAssignment, ['old']],
      ],
    );
  });

  it('removes a cluster while unchanged routes would have to wait for a new one', async () => {
    const { source, client } = await inUse();
    source.set(cluster, 'new', '1').set(clusterLoadAssignment, 'new', '1').remove(cluster, 'old');
    source.set(routeConfiguration, 'r', '1').tell();
    const clusters = await client.take();
    assert.deepEqual([clusters.resources, clusters.removed], [['new@1'], ['old']]);
  });

  it('removes a cluster when the changed routes are confirmed and others come out the same', async () => {
    const { source, client } = await inUse();
    source.set(routeConfiguration, 's', '1').tell();
    await client.subscribe(routeConfiguration, 's');
    await client.takeAndAck();
    source.remove(cluster, 'old').set(routeConfiguration, 'r', '2').set(routeConfiguration, 's', '1').tell();
    const routes = await client.take();
    assert.deepEqual([routes.typeUrl, routes.resources], [routeConfiguration, ['r@2']]);
    await client.ack(routes);
    const clusters = await client.take();
    assert.deepEqual([clusters.typeUrl, clusters.removed], [cluster, ['old']]);
  });

  it('removes routes at once when no listener changes, and their cluster after that is confirmed', async () => {
    const { source, client } = await inUse();
    source.remove(routeConfiguration, 'r').remove(cluster, 'old').tell();
    const routes = await client.take();
    assert.deepEqual([routes.typeUrl, routes.removed], [routeConfiguration, ['r']]);
    await client.ack(routes);
    const clusters = await client.take();
    assert.deepEqual([clusters.typeUrl, clusters.removed], [cluster, ['old']]);
  });

  it('keeps a cluster while the removal of the listener that uses it has to wait', async () => {
    const { source, client } = await inUse();
    source.set(cluster, 'new', '1').set(clusterLoadAssignment, 'new', '1');
    source.remove(listener, 'l').remove(cluster, 'old').tell();
    await client.takeAndAck();
    await client.takeNothing();
    await client.subscribe(clusterLoadAssignment, 'new');
    await client.takeAndAck();
    const listeners = await client.take();
    assert.deepEqual([listeners.typeUrl, listeners.removed], [listener, ['l']]);
    await client.ack(listeners);
    const clusters = await client.take();
    assert.deepEqual([clusters.typeUrl, clusters.removed], [cluster, ['old']]);
  });

  it('does not let routes wait for the endpoints of a cluster that is gone again', async () => {
    const { source, client } = await inUse();
    source.set(cluster, 'new', '1').set(clusterLoadAssignment, 'new', '1').tell();
    await client.takeAndAck();
    source
      .remove(cluster, 'new')
      .remove(clusterLoadAssignment, 'new')
      .set(routeConfiguration, 'r', '2')
      .tell();
    const routes = await client.take();
    assert.deepEqual([routes.typeUrl, routes.resources], [routeConfiguration, ['r@2']]);
    await client.ack(routes);
    assert.deepEqual((await client.take()).removed, ['new']);
  });

  it('waits for the endpoints of the clusters that were accepted when others were refused', async () => {
    const { source, client } = await inUse();
    source.set(cluster, 'good', '1').set(clusterLoadAssignment, 'good', '1');
    source.set(cluster, 'bad', '1').set(clusterLoadAssignment, 'bad', '1');
    source.set(routeConfiguration, 'r', '2').tell();
    await client.nack(await client.take(), 'bad: no');
    await client.takeNothing();
    await client.subscribe(clusterLoadAssignment, 'good');
    const endpoints = await client.take();
    assert.deepEqual(endpoints.resources, ['good@1']);
    await client.ack(endpoints);
    assert.deepEqual((await client.take()).resources, ['r@2']);
  });

  it('does not hold up routes for the endpoints of a changed cluster that was refused', async () => {
    const { source, client } = await inUse();
    source.set(cluster, 'old', '2').set(routeConfiguration, 'r', '2').tell();
    await settle();
    const [clusters, endpoints] = client.received.splice(0);
    assert.equal(endpoints!.typeUrl, clusterLoadAssignment);
    await client.nack(clusters!, 'old: no');
    assert.deepEqual((await client.take()).resources, ['r@2']);
  });

  it('does not hold up secrets', async () => {
    const { source, client } = await inUse();
    source.set(cluster, 'new', '1').tell();
    await client.take();
    source.set(secret, 'ROOTCA', '1');
    await client.subscribe(secret, 'ROOTCA');
    assert.deepEqual((await client.take()).resources, ['ROOTCA@1']);
  });

  it('removes a listener at once, and its routes after that is confirmed', async () => {
    const { source, client } = await inUse();
    source.remove(listener, 'l').remove(routeConfiguration, 'r').tell();
    const listeners = await client.take();
    assert.deepEqual([listeners.typeUrl, listeners.removed], [listener, ['l']]);
    await client.ack(listeners);
    const routes = await client.take();
    assert.deepEqual([routes.typeUrl, routes.removed], [routeConfiguration, ['r']]);
  });

  it('lets only so many clients be in their first sync at once', async () => {
    const { source, server, clock } = serveSource({ maxFirstSyncs: 1 });
    source.set(cluster, 'a', '1');
    const [first, second, third] = [
      new TestClient(server, '1'),
      new TestClient(server, '2'),
      new TestClient(server, '3'),
    ];
    for (const client of [first, second, third]) await client.subscribe(cluster);
    const response = await first.take();
    await second.takeNothing();
    await first.ack(response);
    await second.take();
    await third.takeNothing();
    // One that never answers does not keep its place.
    clock.advance(10_000);
    await third.takeAndAck();
    const [fourth, fifth] = [new TestClient(server, '4'), new TestClient(server, '5')];
    await fourth.subscribe(cluster);
    await fourth.take();
    await fifth.subscribe(cluster);
    await fifth.takeNothing();
  });

  it('counts a client that has clusters and no endpoints yet as in its first sync', async () => {
    const { source, server } = serveSource({ maxFirstSyncs: 1 });
    source.set(cluster, 'a', '1').set(clusterLoadAssignment, 'a', '1');
    const [first, second] = [new TestClient(server, '1'), new TestClient(server, '2')];
    await first.subscribe(cluster);
    await first.takeAndAck();
    await second.subscribe(cluster);
    await second.takeNothing();
    await first.subscribe(clusterLoadAssignment, 'a');
    await first.takeAndAck();
    await second.take();
  });

  it('ends the first sync of a client whose cluster went before it asked for the endpoints', async () => {
    const { source, server } = serveSource({ maxFirstSyncs: 1 });
    source.set(cluster, 'a', '1').set(clusterLoadAssignment, 'a', '1');
    const [first, second] = [new TestClient(server, '1'), new TestClient(server, '2')];
    await first.subscribe(cluster);
    await first.takeAndAck();
    await first.subscribe(listener);
    source.remove(cluster, 'a').remove(clusterLoadAssignment, 'a').tell();
    await first.takeAndAck();
    assert.deepEqual((await first.takeAndAck()).removed, ['a']);
    await second.subscribe(cluster);
    await second.take();
  });

  it('gives the place of a client that leaves in its first sync to the next', async () => {
    const { source, server } = serveSource({ maxFirstSyncs: 1 });
    source.set(cluster, 'a', '1');
    const [first, second, third] = [
      new TestClient(server, '1'),
      new TestClient(server, '2'),
      new TestClient(server, '3'),
    ];
    for (const client of [first, second, third]) await client.subscribe(cluster);
    second.disconnect();
    first.disconnect();
    await third.take();
  });
});
