import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serveSource } from '../testing/served-source.ts';
import { TestClient, settle } from '../testing/test-client.ts';
import { TypeUrl } from '../type-url.ts';
import type { DeltaServer } from './delta-server.ts';

const { clusterLoadAssignment } = TypeUrl;

describe('DeltaServer: whenAcknowledged', () => {
  const target = [{ typeUrl: clusterLoadAssignment, name: 'a' }];

  async function connected(server: DeltaServer, nodeId: string): Promise<TestClient> {
    const client = new TestClient(server, nodeId);
    await client.subscribe(clusterLoadAssignment, 'a');
    await client.ackAll();
    return client;
  }

  it('resolves when every client that knew the older state has confirmed', async () => {
    const { source, server } = serveSource();
    source.set(clusterLoadAssignment, 'a', '1');
    const [first, second] = [await connected(server, '1'), await connected(server, '2')];
    const stranger = new TestClient(server, '3');
    await stranger.subscribe(clusterLoadAssignment, 'b');
    source.set(clusterLoadAssignment, 'a', '2').tell();
    let outcome: unknown = null;
    void server.whenAcknowledged(target, 1000).then((value) => {
      outcome = value;
    });
    await first.takeAndAck();
    assert.equal(outcome, null);
    await second.takeAndAck();
    await settle();
    assert.deepEqual(outcome, { acknowledged: true, waiting: 0 });
  });

  it('does not count the confirmation of the older state', async () => {
    const { source, server } = serveSource();
    source.set(clusterLoadAssignment, 'a', '1');
    const client = new TestClient(server);
    await client.subscribe(clusterLoadAssignment, 'a');
    const older = await client.take();
    source.remove(clusterLoadAssignment, 'a').tell();
    let isDone = false;
    void server.whenAcknowledged(target, 100_000).then(() => {
      isDone = true;
    });
    await client.ack(older);
    assert.equal(isDone, false);
  });

  it('resolves at once when nobody knows an older state', async () => {
    const { source, server, clock } = serveSource();
    source.set(clusterLoadAssignment, 'a', '1');
    await connected(server, '1');
    assert.deepEqual(await server.whenAcknowledged(target, 1000), { acknowledged: true, waiting: 0 });
    assert.equal(clock.pendingTimers, 0);
  });

  it('waits for a removal that is on its way', async () => {
    const { source, server, clock } = serveSource();
    source.set(clusterLoadAssignment, 'a', '1');
    const client = await connected(server, '1');
    source.remove(clusterLoadAssignment, 'a').tell();
    await settle();
    clock.advance(5000);
    const removal = await client.take();
    assert.deepEqual(removal.removed, ['a']);
    let isDone = false;
    void server.whenAcknowledged(target, 1000).then(() => {
      isDone = true;
    });
    await settle();
    assert.equal(isDone, false);
    await client.ack(removal);
    assert.equal(isDone, true);
  });

  it('says after the timeout how many have not confirmed', async () => {
    const { source, server, clock } = serveSource();
    source.set(clusterLoadAssignment, 'a', '1');
    const [first, second, third] = [
      await connected(server, '1'),
      await connected(server, '2'),
      await connected(server, '3'),
    ];
    source.set(clusterLoadAssignment, 'a', '2').tell();
    const outcome = server.whenAcknowledged(target, 1000);
    await first.takeAndAck();
    await second.nack(await second.take(), 'no');
    await third.take();
    clock.advance(1000);
    assert.deepEqual(await outcome, { acknowledged: false, waiting: 2 });
  });

  it('does not wait for clients that leave or lose interest', async () => {
    const { source, server } = serveSource();
    source.set(clusterLoadAssignment, 'a', '1');
    const [first, second] = [await connected(server, '1'), await connected(server, '2')];
    source.set(clusterLoadAssignment, 'a', '2').tell();
    const outcome = server.whenAcknowledged(target, 1000);
    first.disconnect();
    await second.unsubscribe(clusterLoadAssignment, 'a');
    assert.deepEqual(await outcome, { acknowledged: true, waiting: 0 });
  });

  it('counts a later state as confirmation', async () => {
    const { source, server } = serveSource();
    source.set(clusterLoadAssignment, 'a', '1');
    const client = await connected(server, '1');
    source.set(clusterLoadAssignment, 'a', '2').tell();
    const second = await client.take();
    const outcome = server.whenAcknowledged(target, 1000);
    source.set(clusterLoadAssignment, 'a', '3').tell();
    await client.nack(second, 'no');
    await client.takeAndAck();
    assert.deepEqual(await outcome, { acknowledged: true, waiting: 0 });
  });
});
