import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serveSource, type ServedSource } from '../testing/served-source.ts';
import { TestClient } from '../testing/test-client.ts';
import { TypeUrl } from '../type-url.ts';

const { cluster, clusterLoadAssignment, listener, routeConfiguration, virtualHost } = TypeUrl;

describe('DeltaServer: virtual hosts by themselves', () => {
  async function subscribed(): Promise<ServedSource & { client: TestClient }> {
    const mesh = serveSource({ maxResponseBytes: 1 });
    mesh.source
      .set(virtualHost, 'r/a', '1')
      .set(virtualHost, 'r/b', '1')
      .set(virtualHost, 'other/a', '1')
      .tell();
    const client = new TestClient(mesh.server);
    await client.subscribe(virtualHost, 'r');
    return { ...mesh, client };
  }

  it('come all in one response to whoever asks for their route configuration, and nobody else’s', async () => {
    const { client } = await subscribed();
    const { resources, removed } = await client.takeAndAck();
    assert.deepEqual([resources, removed], [['r/a@1', 'r/b@1'], []]);
    await client.takeNothing();
  });

  it('come alone where one changes, is new or goes', async () => {
    const { client, source } = await subscribed();
    await client.takeAndAck();
    source.set(virtualHost, 'r/b', '2').set(virtualHost, 'other/a', '2').tell();
    assert.deepEqual((await client.takeAndAck()).resources, ['r/b@2']);
    source.set(virtualHost, 'r/c', '1').remove(virtualHost, 'r/a').tell();
    const both = await client.takeAndAck();
    assert.deepEqual([both.resources, both.removed], [['r/c@1'], ['r/a']]);
    await client.takeNothing();
  });

  it('are said to be none where there is none, and come when there are', async () => {
    const { source, server } = serveSource();
    const client = new TestClient(server);
    await client.subscribe(virtualHost, 'r');
    assert.deepEqual((await client.takeAndAck()).removed, ['r']);
    source.set(virtualHost, 'r/a', '1').tell();
    assert.deepEqual((await client.takeAndAck()).resources, ['r/a@1']);
  });

  it('do not come any more after their route configuration was given up', async () => {
    const { client, source } = await subscribed();
    await client.takeAndAck();
    await client.unsubscribe(virtualHost, 'r');
    source.set(virtualHost, 'r/b', '2').tell();
    await client.takeNothing();
    await client.subscribe(virtualHost, 'r');
    assert.deepEqual((await client.takeAndAck()).resources, ['r/a@1', 'r/b@2']);
  });

  it('come again on a new stream only where they changed, and are gone where they are', async () => {
    const { server, source } = await subscribed();
    source.remove(virtualHost, 'r/b').tell();
    const again = new TestClient(server, 'again');
    await again.request({
      typeUrl: virtualHost,
      resourceNamesSubscribe: ['r'],
      initialResourceVersions: { 'r/a': '1', 'r/b': '1', 'r/c': '1' },
    });
    await again.subscribe(listener);
    const gone = (await again.ackAll()).find(({ typeUrl }) => typeUrl === virtualHost);
    assert.deepEqual([gone?.resources, gone?.removed.toSorted()], [[], ['r/b', 'r/c']]);
  });

  it('come after the endpoints of new clusters, and go before clusters do', async () => {
    const { client, source } = await subscribed();
    await client.takeAndAck();
    await client.subscribe(listener);
    await client.takeAndAck();
    await client.subscribe(routeConfiguration, 'r');
    await client.takeAndAck();
    source.set(cluster, 'new', '1').set(clusterLoadAssignment, 'new', '1').tell();
    await client.subscribe(cluster);
    source.set(virtualHost, 'r/a', '2').tell();
    await client.takeAndAck();
    await client.takeNothing();
    await client.subscribe(clusterLoadAssignment, 'new');
    await client.takeAndAck();
    assert.deepEqual((await client.takeAndAck()).resources, ['r/a@2']);

    source.remove(cluster, 'new').remove(clusterLoadAssignment, 'new').set(virtualHost, 'r/a', '3').tell();
    const routes = await client.take();
    assert.deepEqual([routes.typeUrl, routes.resources], [virtualHost, ['r/a@3']]);
    await client.ack(routes);
    assert.deepEqual(
      (await client.ackAll()).map(({ removed }) => removed),
      [['new'], ['new']],
    );
  });
});
