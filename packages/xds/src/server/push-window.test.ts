import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Timer } from '@heddle/base';
import { VirtualClock } from '@heddle/testkit';
import { serveSource } from '../testing/served-source.ts';
import { TestClient, settle } from '../testing/test-client.ts';
import { TypeUrl } from '../type-url.ts';
import { PushWindow } from './push-window.ts';

/** Its timers come late, as those of a thread that has much to do. */
class LateClock extends VirtualClock {
  lateMs = 0;

  override setTimer(delayMs: number, callback: () => void): Timer {
    // How late it is shows when it is due.
    return super.setTimer(delayMs, () => {
      if (this.lateMs === 0) callback();
      else super.setTimer(this.lateMs, callback);
    });
  }
}

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

  it('takes more together the later the thread is, within limits, and is as before once it keeps up', () => {
    const clock = new LateClock();
    const pushedAt: number[] = [];
    const window = new PushWindow(clock, 50, () => pushedAt.push(clock.monotonic()));
    const gap = (lateMs: number): number => {
      clock.lateMs = lateMs;
      const began = clock.monotonic();
      const count = pushedAt.length;
      window.request();
      while (pushedAt.length === count) clock.advance(1);
      return clock.monotonic() - began;
    };
    window.request();
    assert.equal(gap(100), 150);
    assert.equal(gap(0), 200);
    assert.equal(gap(0), 50);
    assert.equal(gap(5000), 5050);
    assert.equal(gap(0), 250);
    assert.equal(gap(0), 50);
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

  it('go to all together where they are of endpoints only, whatever clients say meanwhile', async () => {
    const { source, clock, server } = serveSource({ mergeWindowMs: 50 });
    source.set(TypeUrl.clusterLoadAssignment, 'a', '1').set(TypeUrl.clusterLoadAssignment, 'b', '1').tell();
    clock.advance(100);
    const client = new TestClient(server);
    await client.subscribe(TypeUrl.clusterLoadAssignment, 'a', 'b');
    await client.takeAndAck();
    source.set(TypeUrl.clusterLoadAssignment, 'a', '2').tell();
    const first = await client.take();
    source.set(TypeUrl.clusterLoadAssignment, 'b', '2').tell();
    await client.ack(first);
    await client.takeNothing();
    assert.equal(server.status()[0]?.types.get(TypeUrl.clusterLoadAssignment)?.synced, false);
    clock.advance(50);
    assert.deepEqual((await client.takeAndAck()).resources, ['b@2']);
  });

  it('of endpoints go before routes that changed after them', async () => {
    const { source, clock, server } = serveSource({ mergeWindowMs: 50 });
    source.set(TypeUrl.clusterLoadAssignment, 'a', '1').set(TypeUrl.routeConfiguration, 'r', '1').tell();
    clock.advance(100);
    const client = new TestClient(server);
    await client.subscribe(TypeUrl.clusterLoadAssignment, 'a');
    await client.takeAndAck();
    await client.subscribe(TypeUrl.routeConfiguration, 'r');
    const routes = await client.take();
    source.set(TypeUrl.secret, 's', '1').tell();
    source.set(TypeUrl.clusterLoadAssignment, 'a', '2').tell();
    source.set(TypeUrl.routeConfiguration, 'r', '2').tell();
    await client.ack(routes);
    await settle();
    assert.deepEqual(
      client.received.map(({ resources }) => resources),
      [['a@2'], ['r@2']],
    );
  });
});
