import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VirtualClock } from '@heddle/testkit';
import { serveSource } from '../testing/served-source.ts';
import { TestClient, settle } from '../testing/test-client.ts';
import { TypeUrl } from '../type-url.ts';
import { PushWindow } from './push-window.ts';

describe('PushWindow', () => {
  it('pushes at once after a pause, and once for all that follows', () => {
    const clock = new VirtualClock();
    let pushes = 0;
    const window = new PushWindow(clock, 50, () => pushes++);
    window.request();
    assert.equal(pushes, 1);
    for (let count = 0; count < 3; count++) window.request();
    clock.advance(49);
    assert.equal(pushes, 1);
    clock.advance(1);
    assert.equal(pushes, 2);
    window.request();
    assert.equal(pushes, 2);
    clock.advance(100);
    assert.deepEqual([pushes, clock.pendingTimers], [3, 0]);
    window.request();
    assert.equal(pushes, 4);
    window.close();
    assert.equal(clock.pendingTimers, 0);
  });

  it('pushes each time without a window', () => {
    const clock = new VirtualClock();
    let pushes = 0;
    const window = new PushWindow(clock, 0, () => pushes++);
    window.request();
    window.request();
    assert.deepEqual([pushes, clock.pendingTimers], [2, 0]);
  });
});

describe('changes in quick succession', () => {
  it('are one response, and keep their order where the client asks in between', async () => {
    const { source, clock, server } = serveSource({ mergeWindowMs: 50 });
    source.set(TypeUrl.cluster, 'a', '1').set(TypeUrl.routeConfiguration, 'r', '1').tell();
    clock.advance(100);
    const client = new TestClient(server);
    await client.subscribe(TypeUrl.cluster);
    await client.takeAndAck();
    await client.subscribe(TypeUrl.routeConfiguration, 'r');
    await client.takeAndAck();
    source.set(TypeUrl.cluster, 'a', '2').tell();
    assert.deepEqual((await client.takeAndAck()).resources, ['a@2']);
    source.set(TypeUrl.cluster, 'a', '3').tell();
    source.set(TypeUrl.cluster, 'a', '4').tell();
    await client.takeNothing();
    clock.advance(50);
    assert.deepEqual((await client.takeAndAck()).resources, ['a@4']);
    // Routes that are asked for within the window already need the new cluster: it comes before them.
    source.set(TypeUrl.cluster, 'b', '1').set(TypeUrl.routeConfiguration, 'r', '2').tell();
    await client.subscribe(TypeUrl.routeConfiguration, 'r');
    await settle();
    const [clusters] = client.received.splice(0);
    assert.deepEqual([clusters!.typeUrl, clusters!.resources], [TypeUrl.cluster, ['b@1']]);
    await client.ack(clusters!);
    assert.deepEqual((await client.take()).resources, ['r@2']);
  });
});
