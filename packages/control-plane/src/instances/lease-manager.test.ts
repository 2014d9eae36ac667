import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger, type Clock } from '@heddle/base';
import { VirtualClock } from '@heddle/testkit';
import type { Instance, InstanceWatcher } from './instance-store.ts';
import { LeaseManager, type LeaseHolder } from './lease-manager.ts';
import { MemoryInstanceStore } from './memory-instance-store.ts';

function instance(id: string, changes: Partial<Instance> = {}): Instance {
  return {
    instance: id,
    namespace: 'default',
    service: 'reviews',
    serviceAccount: 'reviews',
    servicePort: 9080,
    protocol: 'http',
    address: '127.0.0.1',
    port: 20_000,
    labels: { version: 'v1' },
    takesTunnels: true,
    publishedAt: 1,
    ...changes,
  };
}

interface World {
  readonly clock: VirtualClock;
  /** Lets time pass without any timer running, as a blocked event loop does. */
  readonly standStill: (ms: number) => void;
  readonly store: MemoryInstanceStore;
  readonly manager: LeaseManager;
  readonly events: string[];
}

function makeWorld(store = new MemoryInstanceStore()): World {
  const clock = new VirtualClock();
  let lostMs = 0;
  // Timers know nothing of lost time: they come late, as they do in a process that stood still.
  const lossy: Clock = {
    now: () => clock.now() + lostMs,
    monotonic: () => clock.monotonic() + lostMs,
    recent: () => clock.recent() + lostMs,
    setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
    defer: (callback) => {
      clock.defer(callback);
    },
  };
  const manager = new LeaseManager({ clock: lossy, store, logger: silentLogger });
  const events: string[] = [];
  manager.onChange((event) => {
    const detail = event.type === 'state' ? event.state : event.type === 'withdrawn' ? event.reason : '';
    events.push(`${lossy.monotonic()} ${event.type} ${event.instance.instance} ${detail}`.trim());
  });
  return { clock, standStill: (ms) => void (lostMs += ms), store, manager, events };
}

/** A store in which other control planes have instances, too. */
class SharedStore extends MemoryInstanceStore {
  watcher: InstanceWatcher | null = null;

  async watch(watcher: InstanceWatcher): Promise<void> {
    this.watcher = watcher;
  }
}

function renewEvery(clock: VirtualClock, holder: LeaseHolder, periodMs: number): void {
  clock.setTimer(periodMs, () => {
    if (holder.renew()) renewEvery(clock, holder, periodMs);
  });
}

describe('leases', () => {
  it('keeps an instance for as long as it is renewed, and writes the store only once', async () => {
    const { clock, store, manager, events } = makeWorld();
    const puts = countCalls(store, 'put');
    const holder = await manager.publish(instance('a'));
    renewEvery(clock, holder, 1250);
    clock.advance(60_000);
    assert.deepEqual(events, ['0 published a']);
    assert.equal(puts.count, 1);
    assert.equal(manager.get('a')?.state, 'ready');
    await manager.close();
  });

  it('withdraws an instance exactly one lease after its last renewal', async () => {
    const { clock, store, manager, events } = makeWorld();
    const holder = await manager.publish(instance('a'));
    clock.advance(1250);
    holder.renew();
    await clock.advanceAsync(6249);
    assert.deepEqual(events, ['0 published a', '6250 withdrawn a lease-expired']);
    assert.deepEqual(await store.list(), []);
    assert.equal(holder.renew(), false);
  });

  it('gives a broken stream two seconds to come back', async () => {
    const { clock, manager, events } = makeWorld();
    const holder = await manager.publish(instance('a'));
    holder.release();
    clock.advance(1999);
    assert.equal(manager.get('a')?.state, 'grace');
    clock.advance(1);
    assert.deepEqual(events, ['0 published a', '0 state a grace', '2000 withdrawn a stream-lost']);
  });

  it('takes an instance that comes back in time as the same one', async () => {
    const { clock, manager, events } = makeWorld();
    const first = await manager.publish(instance('a', { publishedAt: 1 }));
    first.release();
    clock.advance(1500);
    const second = await manager.publish(instance('a', { publishedAt: 2 }));
    assert.deepEqual(events, ['0 published a', '0 state a grace', '1500 state a ready']);
    assert.equal(manager.get('a')?.instance.publishedAt, 1);
    renewEvery(clock, second, 1250);
    clock.advance(10_000);
    assert.equal(manager.get('a')?.state, 'ready');
    await manager.close();
  });

  it('lets a new stream take the instance from one that is half dead, whose end then means nothing', async () => {
    const { manager, events } = makeWorld();
    const old = await manager.publish(instance('a'));
    await manager.publish(instance('a', { port: 20_001 }));
    old.release();
    await old.withdraw();
    assert.equal(old.renew(), false);
    assert.equal(manager.get('a')?.state, 'ready');
    assert.deepEqual(events, ['0 published a', '0 published a']);
    await manager.close();
  });

  it('refuses an id that belongs to another identity', async () => {
    const { manager } = makeWorld();
    await manager.publish(instance('a'));
    await assert.rejects(manager.publish(instance('a', { serviceAccount: 'thief' })), {
      code: 'HEDDLE_INSTANCE_TAKEN',
    });
    await manager.close();
  });

  it('removes a withdrawn instance from the store at once', async () => {
    const { clock, store, manager, events } = makeWorld();
    const holder = await manager.publish(instance('a'));
    await holder.withdraw();
    assert.deepEqual(await store.list(), []);
    holder.release();
    clock.advance(60_000);
    assert.deepEqual(events, ['0 published a', '0 withdrawn a withdrawn']);
  });

  it('keeps what a restarted control plane finds for one full lease', async () => {
    const store = new MemoryInstanceStore();
    await store.put(instance('back'));
    await store.put(instance('gone'));
    const { clock, manager, events } = makeWorld(store);
    await manager.restore();
    assert.deepEqual(
      manager.list().map((lease) => lease.state),
      ['restored', 'restored'],
    );
    clock.advance(4000);
    renewEvery(clock, await manager.publish(instance('back')), 1250);
    await clock.advanceAsync(6000);
    assert.deepEqual(events, ['4000 state back ready', '5000 withdrawn gone lease-expired']);
    assert.deepEqual(
      (await store.list()).map((found) => found.instance),
      ['back'],
    );
    await manager.close();
  });

  it('expires no lease because the control plane itself stood still', async () => {
    const { clock, standStill, manager, events } = makeWorld();
    const holders = [await manager.publish(instance('a')), await manager.publish(instance('b'))];
    holders[1]!.release();
    clock.advance(1000);
    standStill(20_000);
    clock.advance(600);
    assert.deepEqual(events, ['0 published a', '0 published b', '0 state b grace']);
    // One full lease, or one grace period, from the moment the stall was noticed: at 21,500.
    clock.advance(6000);
    assert.deepEqual(events.slice(3), ['23500 withdrawn b stream-lost', '26500 withdrawn a lease-expired']);
  });

  it('stores an instance that comes back where it could not be stored before', async () => {
    const { manager, store } = makeWorld();
    const failing = store.put.bind(store);
    store.put = () => Promise.reject(new Error('the store is away'));
    await assert.rejects(manager.publish(instance('a')), /away/);
    store.put = failing;
    await manager.publish(instance('a'));
    assert.deepEqual(
      (await store.list()).map(({ instance: id }) => id),
      ['a'],
    );
    await manager.close();
  });

  it('leaves no timer behind when it is closed', async () => {
    const { clock, manager } = makeWorld();
    await manager.publish(instance('a'));
    await manager.close();
    assert.equal(clock.pendingTimers, 0);
  });
});

function countCalls<K extends string>(
  target: Record<K, (...args: never[]) => unknown>,
  method: K,
): { count: number } {
  const calls = { count: 0 };
  const original = target[method];
  Object.assign(target, {
    [method]: (...args: never[]) => {
      calls.count++;
      return original.apply(target, args);
    },
  });
  return calls;
}

describe('instances of other control planes', () => {
  async function makeShared() {
    const store = new SharedStore();
    const world = makeWorld(store);
    await world.manager.restore();
    const others = store.watcher ?? assert.fail('the store is watched');
    return { ...world, others, puts: countCalls(store, 'put'), removals: countCalls(store, 'remove') };
  }

  it('are there as long as the store says so, without any renewal here', async () => {
    const { clock, manager, events, others, removals } = await makeShared();
    others.onPut(instance('a'));
    clock.advance(60_000);
    assert.equal(manager.get('a')?.state, 'ready');
    assert.ok((manager.get('a')?.leaseExpiresAt ?? 0) > clock.now());
    others.onPut(instance('a'));
    others.onPut(instance('a', { port: 20_001 }));
    others.onRemove('a');
    others.onRemove('a');
    assert.deepEqual(events, ['0 published a', '60000 published a', '60000 withdrawn a withdrawn']);
    assert.equal(removals.count, 0, 'its control plane has taken it out of the store');
    await manager.close();
  });

  it('come over without anybody noticing, and are judged here from then on', async () => {
    const { clock, manager, events, others, puts } = await makeShared();
    others.onPut(instance('a'));
    const holder = await manager.publish(instance('a', { publishedAt: 99 }));
    assert.equal(puts.count, 1, 'the store has to know whose it is');
    assert.equal(manager.get('a')?.instance.publishedAt, 1);
    others.onRemove('a');
    assert.equal(holder.renew(), true, 'the end of the old one is nothing to it');
    clock.advance(6000);
    await manager.close();
    assert.deepEqual(events, ['0 published a', '5000 withdrawn a lease-expired']);
  });

  it('go over to another, and the stream that held them here holds nothing any more', async () => {
    const { clock, manager, events, others, removals } = await makeShared();
    const holder = await manager.publish(instance('a'));
    others.onPut(instance('a'));
    assert.equal(holder.renew(), false);
    holder.release();
    await holder.withdraw();
    clock.advance(60_000);
    assert.deepEqual(events, ['0 published a']);
    assert.equal(removals.count, 0);
    assert.equal(manager.size, 1);
    await manager.close();
  });
});
