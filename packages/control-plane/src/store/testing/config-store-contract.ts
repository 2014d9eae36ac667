/** What every configuration store has to do, as tests: run against each of them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeddleError } from '@heddle/base';
import type {
  Commit,
  CommitOutcome,
  ConfigStore,
  ObjectKey,
  StoreChange,
  StoredObject,
  StoreWatcher,
} from '../config-store.ts';

/** A store, and how it is written where that isn't done through its interface. */
export interface StoreUnderTest {
  readonly store: ConfigStore;
  /** Writes the changes as one commit. Absent: `store.commit`. */
  write?(changes: readonly StoreChange[]): Promise<void>;
  /** The word that was given to `put` as source of an object. Absent: its source. */
  wordOf?(object: StoredObject): string;
  /** The same store as a later process finds it. Absent: it ends with its process. */
  reopen?(): Promise<ConfigStore>;
  /** The same store as a second process uses it. Absent: it admits one only. */
  second?(): Promise<ConfigStore>;
  close(): Promise<void>;
}

/** Opens an empty store that keeps `limit` commits. */
export type OpenStore = (limit?: number) => Promise<StoreUnderTest>;

/** The key of the object that tests call `name`. */
export function keyOf(name: string): ObjectKey {
  return { group: 'networking.istio.io', kind: 'VirtualService', namespace: 'default', name };
}

/** Writes the word `source` as object `name`. */
export function put(
  name: string,
  source: string,
  expectedRevision?: number,
): StoreChange & { readonly type: 'put' } {
  return {
    type: 'put',
    key: keyOf(name),
    apiVersion: 'networking.istio.io/v1',
    source,
    specDigest: `digest of ${source.replace(/#.*/, '')}`,
    ...(expectedRevision === undefined ? {} : { expectedRevision }),
  };
}

function remove(name: string, expectedRevision?: number): StoreChange {
  return {
    type: 'delete',
    key: keyOf(name),
    ...(expectedRevision === undefined ? {} : { expectedRevision }),
  };
}

function committed(outcome: CommitOutcome): Commit {
  return outcome.kind === 'committed' ? outcome.commit : assert.fail(`the outcome is ${outcome.kind}`);
}

/** Collects commits; a lost watch fails the test. */
export function collect(onCommit: (commit: Commit) => void): StoreWatcher {
  return { onCommit, onLost: (error) => assert.fail(`the watch is lost: ${error.message}`) };
}

type Write = (...changes: StoreChange[]) => Promise<void>;

/** The part that stores share that are written by other means than their interface. */
export function describeReading(name: string, open: OpenStore): void {
  const withStore =
    (test: (store: ConfigStore, write: Write, under: StoreUnderTest) => Promise<void>, limit?: number) =>
    async (): Promise<void> => {
      const under = await open(limit);
      const { store } = under;
      const write: Write = async (...changes) => {
        if (under.write === undefined) committed(await store.commit(changes, 'test'));
        else await under.write(changes);
      };
      try {
        await test(store, write, under);
      } finally {
        await under.close();
      }
    };
  const say = (under: StoreUnderTest, { revision, changes }: Commit): string => {
    const wordOf = (object: StoredObject): string => under.wordOf?.(object) ?? object.source;
    const words = changes.map((change) => {
      const before = change.type === 'put' && change.previous !== undefined ? wordOf(change.previous) : '';
      return `${change.type} ${change.object.name}=${wordOf(change.object)}${before === '' ? '' : ` was ${before}`}`;
    });
    return `${revision} ${words.toSorted().join()}`;
  };

  describe(`ConfigStore: ${name}`, () => {
    it(
      'starts empty at revision 0',
      withStore(async (store) => {
        assert.deepEqual(await store.read(), { revision: 0, objects: [] });
        assert.deepEqual(await store.history({ limit: 10 }), []);
        assert.equal(await store.get(keyOf('a')), undefined);
      }),
    );

    it(
      'gives one revision to a batch and keeps who created an object when',
      withStore(async (store, write, under) => {
        await write(put('b', 'two'), put('a', 'one'));
        const [first] = await store.history({ limit: 1 });
        await write(put('a', 'three'));
        const [second] = await store.history({ limit: 1 });
        const { revision, objects } = await store.read();
        assert.equal(revision, 2);
        assert.deepEqual(
          objects.map((object) => object.name),
          ['a', 'b'],
        );
        const a = await store.get(keyOf('a'));
        assert.ok(a !== undefined);
        assert.deepEqual(objects[0], a);
        assert.equal(under.wordOf?.(a) ?? a.source, 'three');
        assert.equal(a.apiVersion, 'networking.istio.io/v1');
        assert.equal(a.createdRevision, 1);
        assert.equal(a.revision, 2);
        assert.equal(a.generation, 2);
        assert.equal(a.createdAt, first?.at);
        assert.equal(a.updatedAt, second?.at);
      }),
    );

    it(
      'resumes a watch after any revision, each commit once, with what was there before',
      withStore(async (store, write, under) => {
        await write(put('a', 'one'));
        await write(put('b', 'two'));
        const seen: string[] = [];
        const watch = await store.watch(
          1,
          collect((commit) => seen.push(say(under, commit))),
        );
        assert.deepEqual(seen, ['2 put b=two']);
        await write(remove('a'));
        await write(put('b', 'three'));
        watch.close();
        await write(put('c', 'four'));
        assert.deepEqual(seen, ['2 put b=two', '3 delete a=one', '4 put b=three was two']);
        assert.deepEqual(
          (await store.commitsAfter(2)).map((commit) => say(under, commit)),
          ['3 delete a=one', '4 put b=three was two', '5 put c=four'],
        );
        assert.deepEqual(await store.commitsAfter(5), []);
      }),
    );

    it(
      'says so where the history does not reach back far enough',
      withStore(async (store, write, under) => {
        for (const text of ['1', '2', '3', '4']) await write(put('a', text));
        const unheard = collect(() => {});
        await assert.rejects(store.watch(1, unheard), {
          code: 'HEDDLE_STORE_COMPACTED',
          message: /starts at revision 3; changes after revision 1 are gone/,
        });
        await assert.rejects(store.commitsAfter(0), { code: 'HEDDLE_STORE_COMPACTED' });
        const seen: string[] = [];
        await store.watch(
          2,
          collect((commit) => seen.push(say(under, commit))),
        );
        // What commit 3 replaced is known, though commit 2 is gone.
        assert.deepEqual(seen, ['3 put a=3 was 2', '4 put a=4 was 3']);
        assert.equal((await store.history({ limit: 10 })).length, 2);
      }, 2),
    );

    it(
      'tells the history of one object and of all, newest first',
      withStore(async (store, write, under) => {
        await write(put('a', 'one'));
        await write(put('b', 'two'));
        await write(remove('a'));
        const history = async (options: Parameters<ConfigStore['history']>[0]): Promise<string[]> =>
          (await store.history(options)).map((commit) => say(under, commit));
        assert.deepEqual(await history({ limit: 2 }), ['3 delete a=one', '2 put b=two']);
        assert.deepEqual(await history({ key: keyOf('a'), limit: 10 }), ['3 delete a=one', '1 put a=one']);
        assert.deepEqual(await history({ key: keyOf('missing'), limit: 10 }), []);
      }),
    );

    it(
      'goes on after the last revision when it is opened again',
      withStore(async (store, write, under) => {
        if (under.reopen === undefined) return;
        await write(put('a', 'one'));
        await write(put('a', 'two'));
        const again = await under.reopen();
        try {
          assert.deepEqual(await again.read(), await store.read());
          assert.deepEqual(await again.history({ limit: 9 }), await store.history({ limit: 9 }));
          const seen: string[] = [];
          await again.watch(
            1,
            collect((commit) => seen.push(say(under, commit))),
          );
          assert.deepEqual(seen, ['2 put a=two was one']);
        } finally {
          await again.close();
        }
      }),
    );
  });
}

/** The whole contract, for stores that are written through their interface. */
export function describeConfigStore(name: string, open: OpenStore): void {
  describeReading(name, open);
  const withStore = (test: (store: ConfigStore, under: StoreUnderTest) => Promise<void>) => async () => {
    const under = await open();
    try {
      await test(under.store, under);
    } finally {
      await under.close();
    }
  };

  describe(`ConfigStore, writing: ${name}`, () => {
    it(
      'counts a generation only where the spec changes',
      withStore(async (store) => {
        await store.commit([put('a', 'one')], 'cli');
        await store.commit([put('a', 'one# with a comment')], 'cli');
        assert.equal((await store.get(keyOf('a')))?.generation, 1);
        await store.commit([put('a', 'two')], 'cli');
        assert.equal((await store.get(keyOf('a')))?.generation, 2);
      }),
    );

    it(
      'spends no revision where nothing changes',
      withStore(async (store) => {
        assert.deepEqual(await store.commit([], 'cli'), { kind: 'unchanged', revision: 0 });
        await store.commit([put('a', 'one')], 'cli');
        const unchanged = { kind: 'unchanged', revision: 1 };
        assert.deepEqual(await store.commit([put('a', 'one')], 'cli'), unchanged);
        assert.deepEqual(await store.commit([remove('missing')], 'cli'), unchanged);
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
          conflict: { key: keyOf('a'), expectedRevision: 1, actualRevision: 2 },
        });
        assert.equal(await store.get(keyOf('new')), undefined);
        assert.equal((await store.get(keyOf('a')))?.source, 'two');
        assert.equal((await store.read()).revision, 2);
      }),
    );

    it(
      'creates only what does not exist with an expected revision of 0',
      withStore(async (store) => {
        committed(await store.commit([put('a', 'one', 0)], 'cli'));
        assert.equal((await store.commit([put('a', 'two', 0)], 'cli')).kind, 'conflict');
        assert.equal((await store.commit([remove('a', 7)], 'cli')).kind, 'conflict');
        committed(await store.commit([remove('a', 1)], 'cli'));
        assert.equal(await store.get(keyOf('a')), undefined);
      }),
    );

    it(
      'keeps who did what',
      withStore(async (store) => {
        await store.commit([put('a', 'one')], 'alice');
        const { commit } = { commit: committed(await store.commit([put('a', 'two')], 'bob')) };
        assert.equal(commit.author, 'bob');
        assert.deepEqual(
          (await store.history({ limit: 10 })).map(({ author }) => author),
          ['bob', 'alice'],
        );
      }),
    );

    it(
      'has told its watches of a commit when the commit is acknowledged, and of what stood in its way',
      withStore(async (store, under) => {
        const seen: number[] = [];
        await store.watch(
          0,
          collect(({ revision }) => seen.push(revision)),
        );
        await store.commit([put('a', 'one')], 'cli');
        assert.deepEqual(seen, [1]);
        if (under.second === undefined) return;
        const other = await under.second();
        try {
          committed(await other.commit([put('a', 'two')], 'other'));
          assert.equal((await store.commit([put('a', 'three', 1)], 'cli')).kind, 'conflict');
          assert.deepEqual(seen, [1, 2]);
          assert.equal((await other.get(keyOf('a')))?.source, 'two');
        } finally {
          await other.close();
        }
      }),
    );

    it(
      'gives every one of many writers at once its own revision',
      withStore(async (store) => {
        const seen: number[] = [];
        await store.watch(
          0,
          collect(({ revision }) => seen.push(revision)),
        );
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, async (_, index) => await store.commit([put(`o${index}`, 'x')], 'cli')),
        );
        const revisions = outcomes.map((outcome) => committed(outcome).revision);
        const all = Array.from({ length: 20 }, (_, index) => index + 1);
        assert.deepEqual(
          revisions.toSorted((a, b) => a - b),
          all,
        );
        assert.deepEqual(seen, all);
        assert.equal((await store.read()).objects.length, 20);
      }),
    );

    it(
      'takes a batch of a thousand objects as one commit',
      withStore(async (store) => {
        const batch = Array.from({ length: 1000 }, (_, index) => put(`o${index}`, `source ${index}`));
        const commit = committed(await store.commit(batch, 'cli'));
        assert.equal(commit.revision, 1);
        assert.equal(commit.changes.length, 1000);
        assert.equal((await store.read()).objects.length, 1000);
        const [kept] = await store.history({ limit: 1 });
        assert.equal(kept?.changes.length, 1000);
        committed(
          await store.commit(
            batch.map(({ key }) => ({ type: 'delete', key }) as const),
            'cli',
          ),
        );
        assert.deepEqual((await store.read()).objects, []);
      }),
    );

    it(
      'calls nobody any more when it is closed',
      withStore(async (store) => {
        const seen: number[] = [];
        await store.watch(
          0,
          collect(({ revision }) => seen.push(revision)),
        );
        await store.close();
        await store.close();
        await store.commit([put('a', 'one')], 'cli').catch((error: unknown) => {
          assert.ok(error instanceof HeddleError);
        });
        assert.deepEqual(seen, []);
      }),
    );
  });
}
