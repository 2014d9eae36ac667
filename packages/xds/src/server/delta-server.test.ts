import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '@heddle/testkit';
import { rejectionStatus } from '../nack-details.ts';
import { RpcCode } from '../rpc.ts';
import { MemorySource } from '../testing/memory-source.ts';
import { serveSource } from '../testing/served-source.ts';
import { TestClient } from '../testing/test-client.ts';
import { TypeUrl } from '../type-url.ts';
import { DeltaServer } from './delta-server.ts';

const { cluster, clusterLoadAssignment, listener, secret } = TypeUrl;

describe('DeltaServer: subscriptions', () => {
  it('answers the legacy wildcard with everything, at once', async () => {
    const { source, server } = serveSource();
    source.set(cluster, 'a', '1').set(cluster, 'b', '1');
    const client = new TestClient(server);
    await client.subscribe(cluster);
    const response = await client.take();
    assert.equal(response.typeUrl, cluster);
    assert.deepEqual(response.resources, ['a@1', 'b@1']);
    assert.notEqual(response.nonce, '');
  });

  it('answers a wildcard for which there is nothing with an empty response', async () => {
    const { server } = serveSource();
    const client = new TestClient(server);
    await client.subscribe(listener, '*');
    assert.deepEqual((await client.take()).resources, []);
  });

  it('does not take an empty first subscription of endpoints for a wildcard', async () => {
    const { source, server } = serveSource();
    source.set(clusterLoadAssignment, 'a', '1');
    const client = new TestClient(server);
    await client.subscribe(clusterLoadAssignment);
    await client.takeNothing();
  });

  it('sends named resources, and says at once of names that do not exist that they are gone', async () => {
    const { source, server } = serveSource();
    source.set(clusterLoadAssignment, 'a', '1').set(clusterLoadAssignment, 'other', '1');
    const client = new TestClient(server);
    await client.subscribe(clusterLoadAssignment, 'a', 'missing');
    const response = await client.takeAndAck();
    assert.deepEqual(response.resources, ['a@1']);
    assert.deepEqual(response.removed, ['missing']);
    source.set(clusterLoadAssignment, 'missing', '1').tell();
    assert.deepEqual((await client.take()).resources, ['missing@1']);
  });

  it('sends a name again that is subscribed again', async () => {
    const { source, server } = serveSource();
    source.set(clusterLoadAssignment, 'a', '1');
    const client = new TestClient(server);
    await client.subscribe(clusterLoadAssignment, 'a');
    await client.takeAndAck();
    await client.subscribe(clusterLoadAssignment, 'a');
    assert.deepEqual((await client.take()).resources, ['a@1']);
  });

  it('says nothing more about names that are unsubscribed', async () => {
    const { source, server } = serveSource();
    source.set(clusterLoadAssignment, 'a', '1');
    const client = new TestClient(server);
    await client.subscribe(clusterLoadAssignment, 'a');
    await client.takeAndAck();
    await client.unsubscribe(clusterLoadAssignment, 'a');
    source.set(clusterLoadAssignment, 'a', '2').tell();
    await client.takeNothing();
  });

  it('keeps named resources when the wildcard is given up, and nothing when all is', async () => {
    const { source, server } = serveSource();
    source.set(cluster, 'a', '1').set(cluster, 'b', '1');
    const client = new TestClient(server);
    await client.subscribe(cluster, '*', 'a');
    await client.ackAll();
    await client.unsubscribe(cluster, '*');
    source.set(cluster, 'a', '2').set(cluster, 'b', '2').tell();
    assert.deepEqual((await client.takeAndAck()).resources, ['a@2']);
    await client.unsubscribe(cluster, 'a');
    source.set(cluster, 'a', '3').tell();
    await client.takeNothing();
  });

  it('answers the unsubscription of a name that the wildcard still covers', async () => {
    const { source, server } = serveSource();
    source.set(listener, 'a', '1');
    const client = new TestClient(server);
    await client.subscribe(listener, '*', 'a', 'missing');
    await client.ackAll();
    await client.unsubscribe(listener, 'a', 'missing');
    const response = await client.take();
    assert.deepEqual(response.resources, ['a@1']);
    assert.deepEqual(response.removed, ['missing']);
  });

  it('skips what a reconnecting client has, sends what changed and removes what is gone', async () => {
    const { source, server, clock } = serveSource();
    source.set(cluster, 'same', '1').set(cluster, 'changed', '2').set(cluster, 'new', '1');
    const client = new TestClient(server);
    await client.request({
      typeUrl: cluster,
      initialResourceVersions: { same: '1', changed: '1', gone: '1' },
    });
    const response = await client.takeAndAck();
    assert.deepEqual(response.resources, ['changed@2', 'new@1']);
    // Its routes may still use it: nobody has looked at them yet.
    assert.deepEqual(response.removed, []);
    clock.advance(5000);
    assert.deepEqual((await client.take()).removed, ['gone']);
  });

  it('does not send a named resource again that a reconnecting client has', async () => {
    const { source, server, clock } = serveSource();
    source.set(clusterLoadAssignment, 'a', '1').set(clusterLoadAssignment, 'b', '1');
    const client = new TestClient(server);
    await client.request({
      typeUrl: clusterLoadAssignment,
      resourceNamesSubscribe: ['a', 'b'],
      initialResourceVersions: { a: '1', unasked: '1' },
    });
    const response = await client.takeAndAck();
    assert.deepEqual(response.resources, ['b@1']);
    assert.deepEqual(response.removed, []);
    clock.advance(10_000);
    await client.takeNothing();
  });

  it('answers requests that arrive together in one response', async () => {
    const { source, server } = serveSource();
    source.set(clusterLoadAssignment, 'a', '1').set(clusterLoadAssignment, 'b', '1');
    const client = new TestClient(server);
    void client.subscribe(clusterLoadAssignment, 'a');
    void client.subscribe(clusterLoadAssignment, 'b');
    assert.deepEqual((await client.take()).resources, ['a@1', 'b@1']);
  });
});

describe('DeltaServer: changes', () => {
  it('sends exactly one resource when one endpoint changes', async () => {
    const { source, server } = serveSource();
    for (let index = 0; index < 100; index++) {
      source.set(cluster, `c${index}`, '1').set(clusterLoadAssignment, `c${index}`, '1');
    }
    const client = new TestClient(server);
    await client.subscribe(cluster);
    await client.takeAndAck();
    await client.subscribe(clusterLoadAssignment, ...Array.from({ length: 100 }, (_, index) => `c${index}`));
    await client.ackAll();
    source.set(clusterLoadAssignment, 'c7', '2').tell();
    const response = await client.take();
    assert.deepEqual(response, {
      ...response,
      typeUrl: clusterLoadAssignment,
      resources: ['c7@2'],
      removed: [],
    });
  });

  it('sends nothing when a change is no change', async () => {
    const { source, server } = serveSource();
    source.set(cluster, 'a', '1');
    const client = new TestClient(server);
    await client.subscribe(cluster);
    await client.takeAndAck();
    source.set(cluster, 'a', '1').tell();
    await client.takeNothing();
  });

  it('sends the latest state only, once the response before it is answered', async () => {
    const { source, server } = serveSource();
    source.set(cluster, 'a', '1');
    const client = new TestClient(server);
    await client.subscribe(cluster);
    const first = await client.take();
    source.set(cluster, 'a', '2').tell();
    source.set(cluster, 'a', '3').tell();
    await client.takeNothing();
    await client.ack(first);
    assert.deepEqual((await client.take()).resources, ['a@3']);
  });

  it('stops waiting for an answer that does not come', async () => {
    const { source, server, clock } = serveSource();
    source.set(cluster, 'a', '1');
    const client = new TestClient(server);
    await client.subscribe(cluster);
    await client.take();
    source.set(cluster, 'a', '2').tell();
    await client.takeNothing();
    clock.advance(5000);
    assert.deepEqual((await client.take()).resources, ['a@2']);
  });

  it('sends nothing while the transport wants a pause, and the latest state afterwards', async () => {
    const { source, server } = serveSource();
    source.set(cluster, 'a', '1').set(secret, 's', '1');
    const client = new TestClient(server);
    client.isRoomy = false;
    await client.subscribe(cluster);
    const first = await client.take();
    await client.subscribe(secret, 's');
    await client.ack(first);
    source.set(cluster, 'a', '2').tell();
    source.set(cluster, 'a', '3').tell();
    await client.takeNothing();
    await client.writable();
    assert.deepEqual(
      client.received.map(({ resources }) => resources),
      [['a@3'], ['s@1']],
    );
  });

  it('tells only the clients that a change concerns', async () => {
    const source = new MemorySource();
    let change: (names: ReadonlySet<string>) => void = () => undefined;
    const watch = source.watch.bind(source);
    source.watch = (tell) => {
      change = (nodes) => tell([{ typeUrl: cluster, concerns: ({ node }) => nodes.has(node.id) }]);
      return watch(tell);
    };
    const server = new DeltaServer({ source, clock: new VirtualClock() });
    const [a, b] = [new TestClient(server, 'a'), new TestClient(server, 'b')];
    for (const client of [a, b]) {
      await client.subscribe(cluster);
      await client.ackAll();
    }
    source.set(cluster, 'x', '1');
    change(new Set(['b']));
    await a.takeNothing();
    assert.deepEqual((await b.take()).resources, ['x@1']);
  });

  it('hands all streams the same bytes', async () => {
    const { source, server } = serveSource();
    source.set(cluster, 'a', '1', new Uint8Array(1000));
    const clients = [new TestClient(server, 'a'), new TestClient(server, 'b')];
    for (const client of clients) await client.subscribe(cluster);
    assert.equal(clients[0]!.messages[0], clients[1]!.messages[0]);
  });

  it('never uses a nonce twice at a time on one stream', async () => {
    const { source, server } = serveSource();
    source.set(clusterLoadAssignment, 'a', '1');
    const client = new TestClient(server);
    await client.subscribe(clusterLoadAssignment, 'a');
    await client.subscribe(clusterLoadAssignment, 'a');
    assert.equal(client.received.length, 2);
    assert.notEqual(client.received[0]!.nonce, client.received[1]!.nonce);
  });

  it('divides what is too large for one response', async () => {
    const { source, server } = serveSource({ maxResponseBytes: 3000 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) source.set(cluster, name, '1', new Uint8Array(1000));
    const client = new TestClient(server);
    await client.subscribe(cluster);
    const all = await client.ackAll();
    assert.deepEqual(
      all.map(({ resources }) => resources.length),
      [2, 2, 1],
    );
  });
});

describe('DeltaServer: answers', () => {
  it('does not send again what was refused, until it changes', async () => {
    const { source, server, clock } = serveSource();
    source.set(cluster, 'a', '1');
    const client = new TestClient(server);
    await client.subscribe(cluster);
    await client.nack(await client.take(), 'no');
    clock.advance(60_000);
    await client.takeNothing();
    source.set(cluster, 'a', '2').tell();
    assert.deepEqual((await client.takeAndAck()).resources, ['a@2']);
    assert.deepEqual(server.status()[0]!.rejected, []);
  });

  it('records what was refused and why', async () => {
    const seen: string[] = [];
    const { source, server, clock } = serveSource({
      hooks: {
        onNack: (client, rejected) =>
          seen.push(`${client.node.id} ${rejected.map(({ name }) => name).join()}`),
      },
    });
    source.set(cluster, 'a', '1').set(cluster, 'b', '1');
    const client = new TestClient(server);
    await client.subscribe(cluster);
    const response = await client.take();
    await client.request({
      typeUrl: cluster,
      responseNonce: response.nonce,
      errorDetail: rejectionStatus(new Map([['b', 'lb_policy: MAGLEV is not supported']])),
    });
    const [status] = server.status();
    assert.deepEqual(status!.rejected, [
      { typeUrl: cluster, name: 'b', reason: 'lb_policy: MAGLEV is not supported', at: clock.now() },
    ]);
    assert.deepEqual(status!.types.get(cluster), { sent: 1, acknowledged: 0, synced: false });
    assert.deepEqual(seen, ['node b']);
  });

  it('takes a subscription from a request whose nonce is stale', async () => {
    const { source, server } = serveSource();
    source.set(clusterLoadAssignment, 'a', '1').set(clusterLoadAssignment, 'b', '1');
    const client = new TestClient(server);
    await client.subscribe(clusterLoadAssignment, 'a');
    await client.take();
    await client.request({
      typeUrl: clusterLoadAssignment,
      responseNonce: 'stale',
      resourceNamesSubscribe: ['b'],
    });
    assert.deepEqual((await client.take()).resources, ['b@1']);
    assert.equal(server.status()[0]!.types.get(clusterLoadAssignment)!.acknowledged, 0);
  });

  it('says of each client how far it is', async () => {
    const { source, server, clock } = serveSource();
    source.set(cluster, 'a', '1');
    const client = new TestClient(server, 'n');
    assert.deepEqual(server.status(), []);
    await client.subscribe(cluster);
    const [before] = server.status();
    assert.equal(before!.node.id, 'n');
    assert.equal(before!.connectedAt, clock.now());
    assert.deepEqual([...before!.types], [[cluster, { sent: 1, acknowledged: 0, synced: false }]]);
    await client.ackAll();
    assert.deepEqual([...server.status()[0]!.types], [[cluster, { sent: 1, acknowledged: 1, synced: true }]]);
    client.disconnect();
    assert.deepEqual(server.status(), []);
  });

  it('lets its owner refuse a client, and tells who came and went', async () => {
    const seen: string[] = [];
    const { server } = serveSource({
      hooks: {
        onConnect: ({ node, peer }) => {
          if (node.id === 'thief')
            return { code: RpcCode.permissionDenied, message: `${peer.identity} is not ${node.id}` };
          seen.push(`+${node.id}`);
          return null;
        },
        onDisconnect: ({ node }) => seen.push(`-${node.id}`),
      },
    });
    const thief = new TestClient(server, 'thief');
    await thief.subscribe(cluster);
    assert.equal(thief.status?.code, RpcCode.permissionDenied);
    await thief.takeNothing();
    const honest = new TestClient(server, 'honest');
    await honest.subscribe(cluster);
    honest.disconnect();
    honest.disconnect();
    assert.deepEqual(seen, ['+honest', '-honest']);
  });

  it('ends streams that break the protocol', async () => {
    const { server } = serveSource({ maxNamesPerType: 2 });
    const garbled = new TestClient(server);
    garbled.raw(Uint8Array.of(0xff));
    assert.equal(garbled.status?.code, RpcCode.invalidArgument);
    const anonymous = new TestClient(server);
    anonymous.raw(new Uint8Array(0));
    assert.equal(anonymous.status?.code, RpcCode.invalidArgument);
    const untyped = new TestClient(server);
    await untyped.subscribe('');
    assert.equal(untyped.status?.code, RpcCode.invalidArgument);
    const greedy = new TestClient(server);
    await greedy.subscribe(clusterLoadAssignment, 'a', 'b', 'c');
    assert.equal(greedy.status?.code, RpcCode.resourceExhausted);
    assert.deepEqual(server.status(), []);
  });

  it('ends the stream for which the source fails, and no other', async () => {
    const errors: unknown[] = [];
    const { source, server } = serveSource({ hooks: { onError: (_client, error) => errors.push(error) } });
    const get = source.get.bind(source);
    source.get = (client, typeUrl, name) => {
      if (client.node.id === 'bad') throw new Error('broken');
      return get(client, typeUrl, name);
    };
    source.set(cluster, 'a', '1');
    const [bad, good] = [new TestClient(server, 'bad'), new TestClient(server, 'good')];
    await bad.subscribe(cluster);
    await good.subscribe(cluster);
    assert.equal(bad.status?.code, RpcCode.internal);
    await good.take();
    assert.equal(errors.length, 1);
  });

  it('ends all streams and listens no more when it is closed', async () => {
    const { source, server, clock } = serveSource();
    source.set(cluster, 'a', '1');
    const client = new TestClient(server);
    await client.subscribe(cluster);
    server.close();
    assert.equal(client.status?.code, RpcCode.unavailable);
    assert.equal(source.watchers, 0);
    assert.equal(clock.pendingTimers, 0);
  });
});
