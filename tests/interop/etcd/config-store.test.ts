// The configuration in a real etcd: the contract of all stores, and what only a store over a network meets.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createLogger, silentLogger, systemClock, systemRandom, type Logger } from '@heddle/base';
import { EtcdConfigStore } from '@heddle/control-plane/etcd';
import { EtcdClient, type Operation } from '@heddle/control-plane/etcd-client';
import { collect, describeConfigStore, keyOf, put } from '@heddle/control-plane/store-contract';
import { EtcdServer, eventually, skipWithout } from '@heddle/testkit';

const skip = skipWithout({ etcd: EtcdServer.find() });

describe('a configuration store in etcd', { skip }, () => {
  let server: EtcdServer;
  let count = 0;
  before(async () => {
    server = await EtcdServer.start();
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
  });

  const clientOf = (...endpoints: readonly string[]): EtcdClient =>
    new EtcdClient({ endpoints: endpoints.length === 0 ? [server.endpoint] : endpoints }, systemClock);
  const open = async (
    prefix: string,
    limit?: number,
    client: EtcdClient = clientOf(),
    logger: Logger = silentLogger,
  ): Promise<EtcdConfigStore> =>
    await EtcdConfigStore.open({
      client,
      prefix,
      clock: systemClock,
      random: systemRandom,
      logger,
      ...(limit === undefined ? {} : { limit }),
    });

  describeConfigStore('etcd', async (limit) => {
    const prefix = `/test-${++count}`;
    const client = clientOf();
    const store = await open(prefix, limit, client);
    return {
      store,
      reopen: async () => await open(prefix, limit, client),
      second: async () => await open(prefix, limit, client),
      close: async () => {
        await store.close();
        client.close();
      },
    };
  });

  it('lets many replicas write at once: no revision twice, nothing lost, the same everywhere', async () => {
    const prefix = `/test-${++count}`;
    const stores = await Promise.all([open(prefix), open(prefix), open(prefix)]);
    const seen = stores.map(() => [] as string[]);
    for (const [index, store] of stores.entries()) {
      await store.watch(
        0,
        collect(({ revision, author }) => seen[index]!.push(`${revision} ${author}`)),
      );
    }
    const outcomes = await Promise.all(
      stores.flatMap((store, replica) =>
        Array.from({ length: 10 }, async (_, index) => {
          const outcome = await store.commit([put(`o-${replica}-${index}`, 'x')], `r${replica}`);
          return outcome.kind === 'committed' ? `${outcome.commit.revision} r${replica}` : outcome.kind;
        }),
      ),
    );
    await eventually('all replicas know all', () => seen.every(({ length }) => length === 30));
    const order = (entries: readonly string[]): string[] =>
      entries.toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
    for (const entries of seen) assert.deepEqual(entries, order(outcomes));
    for (const store of stores) assert.equal((await store.read()).objects.length, 30);
    for (const store of stores) await store.close();
  });

  it('compares and sets over replicas: of two who change the same, one is refused', async () => {
    const prefix = `/test-${++count}`;
    const [a, b] = await Promise.all([open(prefix), open(prefix)]);
    await a.commit([put('x', 'one', 0)], 'a');
    const outcomes = await Promise.all([
      a.commit([put('x', 'from a', 1)], 'a'),
      b.commit([put('x', 'from b', 1)], 'b'),
    ]);
    assert.deepEqual(outcomes.map(({ kind }) => kind).toSorted(), ['committed', 'conflict']);
    await a.close();
    await b.close();
  });

  it('goes on over an etcd that is killed and comes back, each commit told once', async () => {
    const prefix = `/test-${++count}`;
    const warnings: string[] = [];
    const logger = createLogger({ level: 'warn', sink: (line) => warnings.push(line) });
    const [writer, reader] = await Promise.all([open(prefix), open(prefix, undefined, clientOf(), logger)]);
    const seen: number[] = [];
    await reader.watch(
      0,
      collect(({ revision }) => seen.push(revision)),
    );
    await writer.commit([put('a', 'one')], 'test');
    await server.kill();
    // Asked while nobody answers: it is done when somebody does.
    const pending = writer.commit([put('a', 'two')], 'test');
    await server.restart();
    assert.equal((await pending).kind, 'committed');
    await eventually('the reader has caught up', () => seen.length === 2, 10_000);
    await writer.commit([put('a', 'three')], 'test');
    await eventually('the reader follows', () => seen.length === 3, 10_000);
    assert.deepEqual(seen, [1, 2, 3]);
    assert.equal((await reader.get(keyOf('a')))?.source, 'three');
    assert.ok(warnings.length <= 1, 'it complains once, not each time it tries');
    await writer.close();
    await reader.close();
  });

  it('tells its watches when what they missed is gone, and has read everything anew by then', async () => {
    const prefix = `/test-${++count}`;
    const limit = 2;
    const client = clientOf();
    const writer = await open(prefix, limit, client);
    // Not read on: as a replica that stood still, or was cut off.
    const late = await open(prefix, limit);
    let lost = '';
    await late.watch(0, {
      onCommit: () => {},
      onLost: ({ code }) => {
        lost = code;
      },
    });
    await server.kill();
    await server.restart();
    // Faster than the late one comes back.
    for (const word of ['1', '2', '3', '4', '5']) await writer.commit([put('a', word)], 'test');
    await eventually('it has caught up', async () => (await late.read()).revision === 5, 10_000);
    // Whether it was fast enough is chance; what it holds must be right in both cases.
    assert.equal((await late.get(keyOf('a')))?.source, '5');
    assert.ok(lost === '' || lost === 'HEDDLE_STORE_COMPACTED', lost);
    await late.close();

    const again = await open(prefix, limit);
    const told: string[] = [];
    await again.watch(5, { onCommit: () => {}, onLost: ({ code }) => told.push(code) });
    // A backup of another time: the head is not where it was.
    const all: Operation = { type: 'delete', key: `${prefix}/config/`, end: `${prefix}/config0` };
    await client.txn({ compare: [], success: [all] });
    const head: Operation = {
      type: 'put',
      key: `${prefix}/config/head`,
      value: Buffer.from('{"revision":3,"oldest":4}'),
    };
    await client.txn({ compare: [], success: [head] });
    await server.kill();
    await server.restart();
    await eventually('the watch is lost', () => told.length > 0, 10_000);
    assert.equal(told[0], 'HEDDLE_STORE_COMPACTED');
    // It may have seen the store between the two changes.
    await eventually('it has the backup', async () => (await again.read()).revision === 3, 10_000);
    assert.deepEqual(await again.read(), { revision: 3, objects: [] });
    await again.close();
    await writer.close();
  });

  it('turns to another member where one does not answer, and says so where none does', async () => {
    const store = await open(`/test-${++count}`, undefined, clientOf('127.0.0.1:1', server.endpoint));
    assert.equal((await store.commit([put('a', 'one')], 'test')).kind, 'committed');
    await store.close();
    await assert.rejects(open('/nowhere', undefined, clientOf('127.0.0.1:1')), {
      code: 'HEDDLE_STORE_FAILED',
      message: /^etcd at 127\.0\.0\.1:1 does not answer: /,
    });
  });

  it('says what is too large for one transaction, and stores nothing of it', async () => {
    const store = await open(`/test-${++count}`);
    const noise = Array.from({ length: 200_000 }, (_, index) => (index * 7919).toString(36)).join();
    await assert.rejects(store.commit([put('a', noise + noise)], 'test'), {
      code: 'HEDDLE_STORE_TOO_LARGE',
      message: /--max-request-bytes/,
    });
    const many = Array.from({ length: 3700 }, (_, index) => put(`o${index}`, 'x'));
    await assert.rejects(store.commit(many, 'test'), {
      code: 'HEDDLE_STORE_TOO_LARGE',
      message: /3700 objects/,
    });
    assert.equal((await store.commit(many.slice(0, 3590), 'test')).kind, 'committed');
    assert.equal((await store.read()).revision, 1);
    await store.close();
  });
});
