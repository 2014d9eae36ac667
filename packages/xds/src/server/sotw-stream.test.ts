import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serveSource, type ServedSource } from '../testing/served-source.ts';
import { SotwClient } from '../testing/sotw-client.ts';
import { TestClient, settle } from '../testing/test-client.ts';
import { TypeUrl } from '../type-url.ts';

const { cluster, clusterLoadAssignment, listener, routeConfiguration, secret } = TypeUrl;

function put({ source }: ServedSource, typeUrl: string, name: string, version: string): void {
  source.set(typeUrl, name, version, Buffer.from(`${name}@${version}`));
}

describe('SotwStream', () => {
  it('sends all there is of clusters and listeners each time, and of others what changed', async () => {
    const mesh = serveSource();
    for (const name of ['a', 'b'])
      for (const type of [cluster, clusterLoadAssignment]) put(mesh, type, name, '1');
    const client = new SotwClient(mesh.server);
    await client.request({ typeUrl: cluster });
    const first = await client.take();
    assert.deepEqual(first.resources, ['a@1', 'b@1']);
    await client.ack(first);
    await client.takeNothing();
    await client.request({ typeUrl: clusterLoadAssignment, resourceNames: ['a', 'b'] });
    const endpoints = await client.take();
    await client.ack(endpoints, 'a', 'b');
    put(mesh, cluster, 'a', '2');
    mesh.source.tell();
    await settle();
    // The cluster changed, so its endpoints are due anew; those of the other are not.
    const [second, again] = client.received.splice(0);
    assert.deepEqual([second!.resources, again!.resources], [['a@2', 'b@1'], ['a@1']]);
    assert.notEqual(second!.version, first.version);
    await client.ack(second!);
    await client.ack(again!, 'a', 'b');
    put(mesh, clusterLoadAssignment, 'b', '2');
    mesh.source.tell();
    assert.deepEqual((await client.take()).resources, ['b@2']);
  });

  it('answers at once where there is nothing, and later when there is', async () => {
    const mesh = serveSource();
    const client = new SotwClient(mesh.server);
    await client.request({ typeUrl: cluster });
    const empty = await client.take();
    assert.deepEqual(empty.resources, []);
    await client.ack(empty);
    await client.request({ typeUrl: clusterLoadAssignment, resourceNames: ['late'] });
    await client.takeNothing();
    put(mesh, clusterLoadAssignment, 'late', '1');
    mesh.source.tell();
    assert.deepEqual((await client.take()).resources, ['late@1']);
  });

  it('says by leaving it out that a cluster is gone, once no route may use it', async () => {
    const mesh = serveSource();
    put(mesh, cluster, 'old', '1');
    put(mesh, listener, 'l', '1');
    put(mesh, routeConfiguration, 'r', '1');
    const client = new SotwClient(mesh.server);
    await client.request({ typeUrl: cluster });
    await client.ack(await client.take());
    await client.request({ typeUrl: listener });
    await client.ack(await client.take());
    await client.request({ typeUrl: routeConfiguration, resourceNames: ['r'] });
    await client.ack(await client.take(), 'r');
    put(mesh, cluster, 'new', '1');
    mesh.source.remove(cluster, 'old');
    put(mesh, routeConfiguration, 'r', '2');
    mesh.source.tell();
    const clusters = await client.take();
    assert.deepEqual(clusters.resources, ['old@1', 'new@1']);
    await client.ack(clusters);
    const routes = await client.take();
    assert.deepEqual(routes.resources, ['r@2']);
    await client.ack(routes, 'r');
    assert.deepEqual((await client.take()).resources, ['new@1']);
  });

  it('ignores names that answer an earlier response', async () => {
    const mesh = serveSource();
    put(mesh, clusterLoadAssignment, 'a', '1');
    put(mesh, clusterLoadAssignment, 'b', '1');
    const client = new SotwClient(mesh.server);
    await client.request({ typeUrl: clusterLoadAssignment, resourceNames: ['a'] });
    const first = await client.take();
    await client.ack(first, 'a', 'b');
    const second = await client.take();
    assert.deepEqual(second.resources, ['b@1']);
    // Said before the second response had come: the client has both names in its later requests.
    await client.ack(first, 'a');
    await client.ack(second, 'a', 'b');
    // Taken for the truth, the name would have been unsubscribed, and asked for anew.
    await client.takeNothing();
    put(mesh, clusterLoadAssignment, 'b', '2');
    mesh.source.tell();
    const third = await client.take();
    await client.nack(third, 'b is not right', 'a');
    assert.deepEqual(mesh.server.status()[0]?.rejected, []);
    await client.nack(second, 'said before', 'a', 'b');
    await client.takeNothing();
  });

  it('does not send again what was refused until it changes, and says why it was', async () => {
    const mesh = serveSource();
    put(mesh, cluster, 'bad', '1');
    put(mesh, cluster, 'good', '1');
    const client = new SotwClient(mesh.server);
    await client.request({ typeUrl: cluster });
    await client.nack(await client.take(), 'cluster bad: no');
    await client.takeNothing();
    mesh.source.tell();
    await client.takeNothing();
    const [status] = mesh.server.status();
    assert.deepEqual(
      status?.rejected.map(({ name, reason }) => [name, reason]),
      [['bad', 'cluster bad: no']],
    );
    put(mesh, cluster, 'bad', '2');
    mesh.source.tell();
    await client.ack(await client.take());
    assert.deepEqual(mesh.server.status()[0]?.rejected, []);
  });

  it('knows no names from everything by whether there have been any', async () => {
    const mesh = serveSource();
    put(mesh, cluster, 'a', '1');
    put(mesh, cluster, 'b', '1');
    const client = new SotwClient(mesh.server);
    await client.request({ typeUrl: cluster });
    const everything = await client.take();
    await client.ack(everything, 'b');
    const named = await client.take();
    assert.deepEqual(named.resources, ['b@1']);
    await client.ack(named);
    put(mesh, cluster, 'b', '2');
    mesh.source.tell();
    await client.takeNothing();
  });

  it('sends everything to a client that comes back, whatever it says it has', async () => {
    const mesh = serveSource();
    put(mesh, cluster, 'a', '1');
    const before = new SotwClient(mesh.server);
    await before.request({ typeUrl: cluster });
    const { version, nonce } = await before.take();
    before.disconnect();
    const client = new SotwClient(mesh.server);
    await client.request({ typeUrl: cluster, versionInfo: version, responseNonce: nonce });
    assert.deepEqual((await client.take()).resources, ['a@1']);
  });

  it('divides nothing of which a part would mean that the rest is gone', async () => {
    const mesh = serveSource({ maxResponseBytes: 100 });
    for (let index = 0; index < 50; index++) put(mesh, cluster, `cluster-${index}`, '1');
    const client = new SotwClient(mesh.server);
    await client.request({ typeUrl: cluster });
    assert.equal((await client.take()).resources.length, 50);
  });

  it('ends with a reason where a request is none', async () => {
    const mesh = serveSource();
    const client = new SotwClient(mesh.server);
    client.raw(Buffer.from([0xff]));
    await settle();
    assert.equal(client.status?.code, 3);
    assert.deepEqual(mesh.server.status(), []);
  });
});

describe('streams of one type', () => {
  it('need no type in their requests, and take no other', async () => {
    const mesh = serveSource();
    put(mesh, secret, 'ROOTCA', '1');
    const path = '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets';
    const client = new SotwClient(mesh.server, path);
    await client.request({ resourceNames: ['ROOTCA'] });
    const response = await client.take();
    assert.deepEqual([response.typeUrl, response.resources], [secret, ['ROOTCA@1']]);
    await client.request({ typeUrl: cluster });
    assert.equal(client.status?.code, 3);
  });

  it('are there for every type, incremental ones too', async () => {
    const mesh = serveSource();
    put(mesh, clusterLoadAssignment, 'a', '1');
    assert.equal(mesh.server.methods.size, 13);
    const path = '/envoy.service.endpoint.v3.EndpointDiscoveryService/DeltaEndpoints';
    const client = new TestClient(mesh.server, 'node', undefined, path);
    await client.subscribe('', 'a');
    const { typeUrl, resources } = await client.take();
    assert.deepEqual([typeUrl, resources], [clusterLoadAssignment, ['a@1']]);
  });
});
