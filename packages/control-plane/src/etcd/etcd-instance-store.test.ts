import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '@heddle/base';
import { VirtualClock } from '@heddle/testkit';
import type { Instance } from '../instances/instance-store.ts';
import { EtcdClient, type EtcdWatch } from './etcd-client.ts';
import { EtcdInstanceStore } from './etcd-instance-store.ts';
import type { KeyValue, RangeResponse, TxnRequest, TxnResponse, WatchResponse } from './messages.ts';

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
    labels: {},
    publishedAt: 1,
    takesTunnels: false,
  };
}

/** The one etcd of several control planes, as much of it as instances need. */
class FakeEtcd {
  readonly records = new Map<string, KeyValue>();
  readonly watches: ((response: WatchResponse) => void)[] = [];
  revision = 1;
  leases = 0n;
  writes = 0;

  apply({ compare, success }: TxnRequest): TxnResponse {
    this.writes++;
    const succeeded = compare.every(
      (condition) =>
        'lease' in condition && (this.records.get(condition.key)?.lease ?? 0n) === condition.lease,
    );
    for (const operation of succeeded ? success : []) {
      if (operation.type === 'put')
        this.put(operation.key, Buffer.from(operation.value), operation.lease ?? 0n);
      if (operation.type === 'delete') this.drop([operation.key]);
    }
    return { revision: this.revision, succeeded, ranges: [] };
  }

  put(key: string, value: Uint8Array, lease: bigint): void {
    const modRevision = ++this.revision;
    const kv = { key, value, lease, modRevision, createRevision: modRevision };
    this.records.set(key, kv);
    this.tell([{ type: 'put', kv }]);
  }

  drop(keys: readonly string[]): void {
    const modRevision = ++this.revision;
    const none = { value: new Uint8Array(0), lease: 0n, modRevision, createRevision: 0 };
    for (const key of keys) this.records.delete(key);
    this.tell(keys.map((key) => ({ type: 'delete', kv: { key, ...none } })));
  }

  private tell(events: WatchResponse['events']): void {
    const response = { created: false, canceled: false, compactRevision: 0, cancelReason: '', events };
    for (const watch of this.watches) watch({ revision: this.revision, ...response });
  }
}

class FakeClient extends EtcdClient {
  /** Calls fail before they are done, or behind that. */
  fails: 'never' | 'before' | 'after' = 'never';
  private readonly etcd: FakeEtcd;

  constructor(etcd: FakeEtcd, clock: VirtualClock) {
    super({ endpoints: ['127.0.0.1:1'] }, clock);
    this.etcd = etcd;
  }

  override async txn(request: TxnRequest): Promise<TxnResponse> {
    await Promise.resolve();
    if (this.fails === 'before') throw new Error('etcd is away');
    const response = this.etcd.apply(request);
    await Promise.resolve();
    if (this.fails === 'after') throw new Error('etcd is away');
    return response;
  }

  override async rangeAll(): Promise<RangeResponse> {
    return { revision: this.etcd.revision, kvs: [...this.etcd.records.values()], more: false };
  }

  override async grantLease(): Promise<bigint> {
    return ++this.etcd.leases;
  }

  override async keepLeaseAlive(): Promise<boolean> {
    return true;
  }

  override watch(_range: unknown, onResponse: (response: WatchResponse) => void): EtcdWatch {
    this.etcd.watches.push(onResponse);
    return { cancel: () => undefined };
  }
}

async function replicas() {
  const etcd = new FakeEtcd();
  const clock = new VirtualClock();
  const make = async () => {
    const client = new FakeClient(etcd, clock);
    const store = await EtcdInstanceStore.open({ client, prefix: '/m', clock, logger: silentLogger });
    const seen = new Map<string, number>();
    await store.watch({
      onPut: (put) => seen.set(put.instance, put.port),
      onRemove: (id) => seen.delete(id),
    });
    return { client, store, seen };
  };
  return { etcd, clock, a: await make(), b: await make() };
}

describe('instances in an etcd that fails', () => {
  for (const fails of ['before', 'after'] as const) {
    it(`follows an instance that goes to another control plane when a put failed ${fails} it was done`, async () => {
      const { clock, a, b } = await replicas();
      a.client.fails = fails;
      await assert.rejects(a.store.put(instance('one', 1)), /away/);
      await b.store.put(instance('one', 2));
      assert.deepEqual(Object.fromEntries(a.seen), { one: 2 });
      a.client.fails = 'never';
      await clock.advanceAsync(5000);
      assert.deepEqual(Object.fromEntries(a.seen), { one: 2 });
      await b.store.remove('one');
      assert.equal(a.seen.size, 0);
    });
  }

  it('takes an instance out later where etcd did not hear of its end', async () => {
    const { clock, a, b } = await replicas();
    await a.store.put(instance('one', 1));
    a.client.fails = 'before';
    await assert.rejects(a.store.remove('one'), /away/);
    await clock.advanceAsync(2000);
    assert.equal(b.seen.size, 1);
    a.client.fails = 'never';
    await clock.advanceAsync(1000);
    assert.equal(b.seen.size, 0);
  });

  it('leaves nothing of a put of which it is not known whether it was done', async () => {
    const { etcd, clock, a, b } = await replicas();
    a.client.fails = 'after';
    await assert.rejects(a.store.put(instance('one', 1)), /away/);
    a.client.fails = 'never';
    await clock.advanceAsync(1000);
    assert.ok(etcd.writes > 1, 'it was done, and undone');
    assert.deepEqual([b.seen.size, etcd.records.size], [0, 0]);
  });

  it('puts each instance once when all are lost, and again until etcd takes them', async () => {
    const { etcd, clock, a, b } = await replicas();
    for (let index = 0; index < 20; index++) await a.store.put(instance(`i-${index}`, 1));
    etcd.writes = 0;
    etcd.drop([...etcd.records.keys()]);
    await clock.advanceAsync(100);
    assert.deepEqual([etcd.writes, b.seen.size], [20, 20]);
    a.client.fails = 'before';
    etcd.drop([...etcd.records.keys()]);
    await clock.advanceAsync(5000);
    assert.equal(b.seen.size, 0);
    a.client.fails = 'never';
    await clock.advanceAsync(5000);
    assert.equal(b.seen.size, 20);
  });
});
