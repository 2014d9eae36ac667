import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock } from '@heddle/base';
import type { Commit, CommitOutcome, ConfigStore, ObjectKey, StoreChange } from './config-store.ts';
import { openHeddleDatabase } from './heddle-database.ts';
import { MemoryConfigStore } from './memory-config-store.ts';
import { SqliteConfigStore } from './sqlite-config-store.ts';

interface Opened {
  readonly store: ConfigStore;
  close(): Promise<void>;
}

const implementations: Record<string, (limit?: number) => Opened> = {
  memory: (limit) => {
    const store = new MemoryConfigStore(systemClock, limit);
    return { store, close: () => store.close() };
  },
  sqlite: (limit) => {
    const directory = mkdtempSync(join(tmpdir(), 'heddle-store-'));
    const path = join(directory, 'heddle.db');
    const database = openHeddleDatabase(path);
    const store = new SqliteConfigStore(database, path, systemClock, limit);
    return {
      store,
      close: async () => {
        await store.close();
        database.close();
        rmSync(directory, { recursive: true });
      },
    };
  },
};

function key(name: string): ObjectKey {
  return { group: 'networking.istio.io', kind: 'VirtualService', namespace: 'default', name };
}

function put(name: string, source: string, expectedRevision?: number): StoreChange {
  return {
    type: 'put',
    key: key(name),
    apiVersion: 'networking.istio.io/v1',
    source,
    specDigest: `digest of ${source.replace(/#.*/, '')}`,
    ...(expectedRevision === undefined ? {} : { expectedRevision }),
  };
}

function committed(outcome: CommitOutcome): Commit {
  assert.equal(outcome.kind, 'committed');
  return outcome.kind === 'committed' ? outcome.commit : assert.fail();
}

for (const [name, open] of Object.entries(implementations)) {
  const withStore =
    (test: (store: ConfigStore) => Promise<void>, limit?: number): (() => Promise<void>) =>
    async () => {
      const opened = open(limit);
      try {
        await test(opened.store);
      } finally {
        await opened.close();
      }
    };

  describe(`ConfigStore: ${name}`, () => {
    it(
      'gives one revision to a batch and keeps who created an object when',
      withStore(async (store) => {
        const first = committed(await store.commit([put('a', 'one'), put('b', 'two')], 'cli'));
        assert.equal(first.revision, 1);
        const second = committed(await store.commit([put('a', 'three')], 'dashboard'));
        assert.equal(second.revision, 2);
        const a = await store.get(key('a'));
        assert.equal(a?.source, 'three');
        assert.equal(a.createdRevision, 1);
        assert.equal(a.revision, 2);
        assert.equal(a.createdAt, first.at);
        assert.equal(a.updatedAt, second.at);
        const { revision, objects } = await store.read();
        assert.equal(revision, 2);
        assert.deepEqual(
          objects.map((object) => object.name),
          ['a', 'b'],
        );
      }),
    );

    it(
      'counts a generation only where the spec changes',
      withStore(async (store) => {
        await store.commit([put('a', 'one')], 'cli');
        await store.commit([put('a', 'one# with a comment')], 'cli');
        assert.equal((await store.get(key('a')))?.generation, 1);
        await store.commit([put('a', 'two')], 'cli');
        assert.equal((await store.get(key('a')))?.generation, 2);
      }),
    );

    it(
      'spends no revision where nothing changes',
      withStore(async (store) => {
        await store.commit([put('a', 'one')], 'cli');
        assert.deepEqual(await store.commit([put('a', 'one')], 'cli'), { kind: 'unchanged', revision: 1 });
        const missing: StoreChange = { type: 'delete', key: key('missing') };
        assert.deepEqual(await store.commit([missing], 'cli'), { kind: 'unchanged', revision: 1 });
      }),
    );

    it(
      'applies nothing of a batch with one conflict',
      withStore(async (store) => {
        await store.commit([put('a', 'one')], 'cli');
        await store.commit([put('a', 'two')], 'cli');
        const outcome = await store.commit([put('new', 'x'), put('a', 'three', 1)], 'cli');
        assert.deepEqual(outcome, {
          kind: 'conflict',
          conflict: { key: key('a'), expectedRevision: 1, actualRevision: 2 },
        });
        assert.equal(await store.get(key('new')), undefined);
        assert.equal((await store.get(key('a')))?.source, 'two');
      }),
    );

    it(
      'creates only what does not exist with an expected revision of 0',
      withStore(async (store) => {
        committed(await store.commit([put('a', 'one', 0)], 'cli'));
        assert.equal((await store.commit([put('a', 'two', 0)], 'cli')).kind, 'conflict');
        committed(await store.commit([{ type: 'delete', key: key('a'), expectedRevision: 1 }], 'cli'));
        assert.equal(await store.get(key('a')), undefined);
      }),
    );

    it(
      'resumes a watch after any revision, each commit once',
      withStore(async (store) => {
        await store.commit([put('a', 'one')], 'cli');
        await store.commit([put('b', 'two')], 'cli');
        const seen: string[] = [];
        const watch = store.watch(1, (commit) => {
          seen.push(
            `${commit.revision} ${commit.changes.map((c) => `${c.type} ${c.object.name}=${c.object.source}`).join()}`,
          );
        });
        await store.commit([{ type: 'delete', key: key('a') }], 'cli');
        watch.close();
        await store.commit([put('c', 'three')], 'cli');
        assert.deepEqual(seen, ['2 put b=two', '3 delete a=one']);
      }),
    );

    it(
      'refuses to watch from before its history',
      withStore(async (store) => {
        for (const text of ['1', '2', '3', '4']) await store.commit([put('a', text)], 'cli');
        assert.throws(() => store.watch(1, () => {}), { code: 'HEDDLE_STORE_COMPACTED' });
        const seen: number[] = [];
        store.watch(2, (commit) => seen.push(commit.revision));
        assert.deepEqual(seen, [3, 4]);
      }, 2),
    );

    it(
      'tells the history of one object and of all, newest first',
      withStore(async (store) => {
        await store.commit([put('a', 'one')], 'alice');
        await store.commit([put('b', 'two')], 'bob');
        await store.commit([{ type: 'delete', key: key('a') }], 'carol');
        const all = await store.history({ limit: 2 });
        assert.deepEqual(
          all.map((commit) => commit.author),
          ['carol', 'bob'],
        );
        const ofA = await store.history({ key: key('a'), limit: 10 });
        assert.deepEqual(
          ofA.map((commit) => [commit.revision, commit.author, commit.changes[0]?.type]),
          [
            [3, 'carol', 'delete'],
            [1, 'alice', 'put'],
          ],
        );
      }),
    );
  });
}
