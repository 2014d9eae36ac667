// Instances of several control planes in a real etcd.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { silentLogger, systemClock } from '@heddle/base';
import type { Instance } from '@heddle/control-plane';
import { EtcdClient } from '@heddle/control-plane/etcd-client';
import { EtcdInstanceStore } from '@heddle/control-plane/etcd-instances';
import { EtcdTokenStore } from '@heddle/control-plane/etcd-tokens';
import { EtcdServer, eventually, skipWithout } from '@heddle/testkit';

const skip = skipWithout({ etcd: EtcdServer.find() });

function instance(id: string, port: number): Instance {
  return {
    instance: id,
    namespace: 'default',
    service: 'reviews',
    serviceAccount: 'reviews',
    servicePort: 9080,
    protocol: 'http',
    address: '127.0.0.1',
    port,
    labels: { version: 'v1' },
    publishedAt: 1,
    takesTunnels: false,
  };
}

describe('instances in etcd', { skip }, () => {
  let server: EtcdServer;
  let client: EtcdClient;
  let count = 0;
  before(async () => {
    server = await EtcdServer.start();
    client = new EtcdClient({ endpoints: [server.endpoint] }, systemClock);
  });
  after(async () => {
    client.close();
    await server[Symbol.asyncDispose]();
  });

  async function replica(prefix: string, own: EtcdClient = client) {
    const options = { client: own, prefix, clock: systemClock, logger: silentLogger };
    const store = await EtcdInstanceStore.open(options);
    const seen = new Map<string, number>();
    await store.watch({
      onPut: (put) => seen.set(put.instance, put.port),
      onRemove: (id) => seen.delete(id),
    });
    return { store, seen };
  }

  it('shows each replica those of the others, lets them move, and forgets what is withdrawn', async () => {
    const prefix = `/instances-${++count}`;
    const [a, b] = await Promise.all([replica(prefix), replica(prefix)]);
    await a.store.put(instance('one', 1));
    await a.store.put(instance('two', 2));
    await eventually('b knows them', () => b.seen.size === 2);
    assert.equal(a.seen.size, 0, 'its own it knows by itself');
    // Its sidecar has gone from a to b.
    await b.store.put(instance('one', 3));
    await eventually('a knows of the move', () => a.seen.get('one') === 3);
    // What a does about a stream that broke must not take what is b's.
    await a.store.remove('one');
    const later = await replica(prefix);
    assert.deepEqual(Object.fromEntries(later.seen), { one: 3, two: 2 });
    await b.store.remove('one');
    await eventually('it is gone everywhere', () => !a.seen.has('one') && !later.seen.has('one'));
    for (const { store } of [a, b, later]) await store.close();
  });

  it('writes nothing for time that passes: one renewal for all, however many there are', async () => {
    const prefix = `/instances-${++count}`;
    const { store } = await replica(prefix);
    for (let index = 0; index < 50; index++) await store.put(instance(`i-${index}`, 1));
    const revision = async (): Promise<number> => (await client.range({ key: prefix })).revision;
    const before = await revision();
    await new Promise((resolve) => setTimeout(resolve, 3500));
    assert.equal(await revision(), before);
    await store.close();
  });

  it('forgets what a replica held that is not heard of any more', async () => {
    const prefix = `/instances-${++count}`;
    const [dead, alive] = await Promise.all([replica(prefix), replica(prefix)]);
    await dead.store.put(instance('one', 1));
    await eventually('it is known', () => alive.seen.size === 1);
    await dead.store.close();
    await eventually('it is gone', () => alive.seen.size === 0, 20_000);
    await alive.store.close();
  });

  it('takes each use of a join token once, over all control planes', async () => {
    const prefix = `/tokens-${++count}`;
    const stores = [1, 2, 3].map(() => new EtcdTokenStore(client, prefix));
    const none = { createdAtMs: 0, expiresAtMs: null, namespace: null, serviceAccount: null };
    await stores[0]!.put({ id: 'a', secretSha256: 'x', usesLeft: 5, ...none });
    await stores[0]!.put({ id: 'b', secretSha256: 'x', usesLeft: null, ...none });
    const taken = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => await stores[index % 3]!.decrement('a')),
    );
    assert.equal(taken.filter(Boolean).length, 5);
    assert.equal((await stores[1]!.get('a'))?.usesLeft, 0);
    assert.equal(await stores[2]!.decrement('b'), true);
    assert.equal(await stores[2]!.decrement('missing'), false);
  });
});
