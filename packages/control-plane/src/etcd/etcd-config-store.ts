import { randomUUID } from 'node:crypto';
import { HeddleError, type Clock, type Logger, type Random } from '@heddle/base';
import { CommitWatchers, compacted } from '../store/commit-watchers.ts';
import {
  compareKeys,
  historyLimit,
  objectKeyText,
  sameKey,
  type Commit,
  type CommitOutcome,
  type ConfigStore,
  type ObjectKey,
  type StoreChange,
  type StoreSnapshot,
  type StoreWatch,
  type StoreWatcher,
  type StoredObject,
} from '../store/config-store.ts';
import { planCommit, type CommitPlan } from '../store/plan-commit.ts';
import { CommitFeed, type FeedOwner } from './commit-feed.ts';
import {
  ConfigKeys,
  decodeHead,
  decodeRecord,
  decodeStored,
  encodeHead,
  encodeRecord,
  encodeStored,
  type CommitRecord,
} from './config-records.ts';
import { EtcdUnavailableError, type EtcdClient } from './etcd-client.ts';
import { endOfPrefix, type Operation } from './messages.ts';

export interface EtcdConfigStoreOptions {
  /** Stays its maker's to close. */
  readonly client: EtcdClient;
  /** Begins every key, such as `/heddle`. */
  readonly prefix: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** How many commits are kept; the same in all replicas. */
  readonly limit?: number;
}

/** How long a commit is tried for before it is given up: longer than etcd takes to elect a leader. */
const patienceMs = 10_000;
const retryMs = 100;
/** etcd takes 128 operations side by side unless it is told otherwise, and groups of as many as are left below that. */
const groupSize = 60;
const maxOperations = groupSize * groupSize;
const historyPage = 100;

/**
 * The store of several replicas. Each has all of it in memory and follows the commits, its own and those of the others;
 * a commit is one transaction on condition that nobody has committed since what it was planned on.
 */
export class EtcdConfigStore implements ConfigStore, FeedOwner {
  private readonly client: EtcdClient;
  private readonly keys: ConfigKeys;
  private readonly clock: Clock;
  private readonly limit: number;
  private readonly feed: CommitFeed;
  private readonly watchers = new CommitWatchers();
  private readonly objects = new Map<string, StoredObject>();
  /** Of the commit that is on its way: what it is known by, and what has become of it. */
  private pending: { readonly id: string; commit: Commit | null } | null = null;
  private readonly waiting = new Set<{ readonly revision: number; resolve(): void }>();
  private taken = 0;
  private oldest = 1;
  /** etcd's revision of the head; 0 where there is none. */
  private headRevision = 0;
  /** Commits of this replica happen one after the other. */
  private queue: Promise<unknown> = Promise.resolve();
  private isClosed = false;

  private constructor(options: EtcdConfigStoreOptions) {
    this.client = options.client;
    this.keys = new ConfigKeys(options.prefix);
    this.clock = options.clock;
    this.limit = options.limit ?? historyLimit;
    this.feed = new CommitFeed({ ...options, keys: this.keys, owner: this });
  }

  /** Reads everything. Rejects with `HEDDLE_STORE_FAILED` where etcd does not answer. */
  static async open(options: EtcdConfigStoreOptions): Promise<EtcdConfigStore> {
    const store = new EtcdConfigStore(options);
    await store.readAll();
    store.feed.start();
    return store;
  }

  get revision(): number {
    return this.taken;
  }

  async read(): Promise<StoreSnapshot> {
    return { revision: this.taken, objects: [...this.objects.values()].sort(compareKeys) };
  }

  async get(key: ObjectKey): Promise<StoredObject | undefined> {
    return this.objects.get(objectKeyText(key));
  }

  async commit(changes: readonly StoreChange[], author: string): Promise<CommitOutcome> {
    const outcome = this.queue.then(async () => await this.commitNext(changes, author));
    this.queue = outcome.catch(() => {});
    return await outcome;
  }

  async watch(afterRevision: number, watcher: StoreWatcher): Promise<StoreWatch> {
    const held: Commit[] = [];
    let isReady = false;
    let lost: HeddleError | null = null;
    const watch = this.watchers.add([], {
      onCommit: (commit) => {
        if (isReady) watcher.onCommit(commit);
        else held.push(commit);
      },
      onLost: (error) => {
        if (isReady) watcher.onLost(error);
        else lost = error;
      },
    });
    try {
      const past = await this.commitsAfter(afterRevision);
      if (lost !== null) throw lost as HeddleError;
      let last = afterRevision;
      for (const commit of [...past, ...held]) {
        if (commit.revision <= last) continue;
        last = commit.revision;
        watcher.onCommit(commit);
      }
      isReady = true;
      return watch;
    } catch (error) {
      watch.close();
      throw error;
    }
  }

  async commitsAfter(afterRevision: number): Promise<readonly Commit[]> {
    const last = this.taken;
    if (afterRevision >= last) return [];
    const from = this.keys.commit(afterRevision + 1);
    const { kvs } = await this.client.rangeAll(from, this.keys.commit(last + 1));
    const commits = kvs.map(({ key, value }) => decodeRecord(key, value).commit);
    const oldest = commits[0]?.revision ?? last + 1;
    if (oldest !== afterRevision + 1) throw compacted(afterRevision, oldest);
    return commits;
  }

  async history(options: { readonly key?: ObjectKey; readonly limit: number }): Promise<readonly Commit[]> {
    const { key, limit } = options;
    const found: Commit[] = [];
    // Not sorted by etcd: it would read all of them for that.
    for (let last = this.taken; last >= this.oldest && found.length < limit; last -= historyPage) {
      const from = this.keys.commit(Math.max(this.oldest, last - historyPage + 1));
      const { kvs } = await this.client.rangeAll(from, this.keys.commit(last + 1));
      const page = kvs.map((kv) => decodeRecord(kv.key, kv.value).commit);
      const wanted =
        key === undefined
          ? page
          : page.filter(({ changes }) => changes.some(({ object }) => sameKey(object, key)));
      found.push(...wanted.toReversed());
    }
    return found.slice(0, limit);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.watchers.close();
    this.feed.close();
  }

  /** @internal */
  take({ id, commit }: CommitRecord, modRevision: number): void {
    if (commit.revision <= this.taken || this.isClosed) return;
    for (const { type, object } of commit.changes) {
      const text = objectKeyText(object);
      if (type === 'put') this.objects.set(text, object);
      else this.objects.delete(text);
    }
    this.taken = commit.revision;
    this.oldest = Math.max(this.oldest, commit.revision - this.limit + 1);
    this.headRevision = modRevision;
    if (this.pending?.id === id) this.pending.commit = commit;
    this.watchers.publish(commit);
    for (const waiting of this.waiting) if (waiting.revision <= commit.revision) waiting.resolve();
  }

  /** @internal */
  async resync(): Promise<void> {
    const before = this.taken;
    await this.readAll();
    this.watchers.lose(compacted(before, this.oldest));
    for (const waiting of this.waiting) waiting.resolve();
  }

  private async readAll(): Promise<void> {
    const { kvs, revision } = await this.client.range({ key: this.keys.head });
    const [head] = kvs;
    const { revision: taken, oldest } =
      head === undefined ? { revision: 0, oldest: 1 } : decodeHead(head.value);
    const objects: StoredObject[] = [];
    let from = this.keys.objects;
    for (;;) {
      const end = endOfPrefix(this.keys.objects);
      const page = await this.client.range({ key: from, end, limit: 1000, revision });
      objects.push(...page.kvs.map(({ key, value }) => decodeStored(key, value)));
      const last = page.kvs.at(-1);
      if (!page.more || last === undefined) break;
      from = `${last.key}\0`;
    }
    this.objects.clear();
    for (const object of objects) this.objects.set(objectKeyText(object), object);
    this.taken = taken;
    this.oldest = oldest;
    this.headRevision = head?.modRevision ?? 0;
  }

  private async commitNext(changes: readonly StoreChange[], author: string): Promise<CommitOutcome> {
    const deadline = this.clock.monotonic() + patienceMs;
    const pending: { readonly id: string; commit: Commit | null } = { id: randomUUID(), commit: null };
    this.pending = pending;
    try {
      for (;;) {
        if (this.isClosed) throw new HeddleError('HEDDLE_STORE_FAILED', 'The store is closed.');
        const outcome = await this.attempt(changes, author, pending.id, deadline);
        // Written by an attempt that was not answered.
        if (pending.commit !== null) return { kind: 'committed', commit: pending.commit };
        if (outcome !== null) return outcome;
      }
    } finally {
      this.pending = null;
    }
  }

  /** Null where it has to be tried again, on what has been committed since. */
  private async attempt(
    changes: readonly StoreChange[],
    author: string,
    id: string,
    deadline: number,
  ): Promise<CommitOutcome | null> {
    const revision = this.taken + 1;
    const at = this.clock.now();
    const plan = planCommit(changes, (key) => this.objects.get(objectKeyText(key)), revision, at);
    if (plan.kind === 'conflict' || plan.changes.length === 0) {
      // Judged by what this replica knows: it may be behind the others.
      await this.catchUp(deadline);
      return this.taken === revision - 1 ? judged(plan, revision - 1) : null;
    }
    const commit: Commit = { revision, at, author, changes: plan.changes };
    try {
      if (await this.write({ id, commit })) return { kind: 'committed', commit };
    } catch (error) {
      if (!(error instanceof EtcdUnavailableError)) throw error;
      await this.retryLater(deadline, error);
    }
    await this.catchUp(deadline);
    return null;
  }

  /** One transaction. False where somebody else has committed meanwhile. */
  private async write(record: CommitRecord): Promise<boolean> {
    const { keys } = this;
    const { revision, changes } = record.commit;
    const oldest = Math.max(this.oldest, revision - this.limit + 1);
    const operations: Operation[] = changes.map(({ type, object }) => {
      const key = keys.object(object);
      return type === 'put' ? { type, key, value: encodeStored(object) } : { type, key };
    });
    if (oldest > this.oldest)
      operations.push({ type: 'delete', key: keys.commit(0), end: keys.commit(oldest) });
    if (operations.length > maxOperations) {
      throw new HeddleError(
        'HEDDLE_STORE_TOO_LARGE',
        `This change is of ${changes.length} objects, and etcd takes ${maxOperations - 1} at once: apply fewer files at a time.`,
      );
    }
    const groups: Operation[] = [];
    for (let start = 0; start < operations.length; start += groupSize)
      groups.push({ type: 'txn', operations: operations.slice(start, start + groupSize) });
    const { succeeded, revision: modRevision } = await this.client.txn({
      compare: [{ key: keys.head, modRevision: this.headRevision }],
      success: [
        { type: 'put', key: keys.head, value: encodeHead({ revision, oldest }) },
        { type: 'put', key: keys.commit(revision), value: encodeRecord(record) },
        ...groups,
      ],
    });
    // Nothing can have come in between: the condition says so.
    if (succeeded) this.take(record, modRevision);
    return succeeded;
  }

  /** Waits until this replica knows all that has been committed by now. */
  private async catchUp(deadline: number): Promise<void> {
    let head: { readonly revision: number } | null = null;
    while (head === null) {
      try {
        const { kvs } = await this.client.range({ key: this.keys.head });
        head = kvs[0] === undefined ? { revision: 0 } : decodeHead(kvs[0].value);
      } catch (error) {
        if (!(error instanceof EtcdUnavailableError)) throw error;
        await this.retryLater(deadline, error);
      }
    }
    if (this.taken >= head.revision) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry = { revision: head.revision, resolve };
    this.waiting.add(entry);
    const timer = this.clock.setTimer(Math.max(0, deadline - this.clock.monotonic()), () =>
      reject(new HeddleError('HEDDLE_STORE_FAILED', 'etcd answers, and does not tell what is committed.')),
    );
    try {
      await promise;
    } finally {
      timer.cancel();
      this.waiting.delete(entry);
    }
  }

  private async retryLater(deadline: number, error: EtcdUnavailableError): Promise<void> {
    if (this.clock.monotonic() + retryMs > deadline || this.isClosed) throw error;
    await new Promise<void>((resolve) => {
      this.clock.setTimer(retryMs, resolve);
    });
  }
}

function judged(plan: CommitPlan, revision: number): CommitOutcome {
  return plan.kind === 'conflict' ? plan : { kind: 'unchanged', revision };
}
