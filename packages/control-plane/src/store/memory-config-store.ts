import type { Clock } from '@heddle/base';
import { CommitWatchers, compacted } from './commit-watchers.ts';
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
} from './config-store.ts';
import { planCommit } from './plan-commit.ts';

/** A store that lives as long as its process: for simulations and tests. */
export class MemoryConfigStore implements ConfigStore {
  private readonly clock: Clock;
  private readonly limit: number;
  private readonly objects = new Map<string, StoredObject>();
  private readonly watchers = new CommitWatchers();
  private readonly commits: Commit[] = [];
  private revision = 0;

  /** `limit` is how many commits are kept. */
  constructor(clock: Clock, limit: number = historyLimit) {
    this.clock = clock;
    this.limit = limit;
  }

  async read(): Promise<StoreSnapshot> {
    return { revision: this.revision, objects: [...this.objects.values()].sort(compareKeys) };
  }

  async get(key: ObjectKey): Promise<StoredObject | undefined> {
    return this.objects.get(objectKeyText(key));
  }

  async commit(changes: readonly StoreChange[], author: string): Promise<CommitOutcome> {
    const at = this.clock.now();
    const revision = this.revision + 1;
    const plan = planCommit(changes, (key) => this.objects.get(objectKeyText(key)), revision, at);
    if (plan.kind === 'conflict') return plan;
    if (plan.changes.length === 0) return { kind: 'unchanged', revision: this.revision };
    for (const change of plan.changes) {
      const text = objectKeyText(change.object);
      if (change.type === 'put') this.objects.set(text, change.object);
      else this.objects.delete(text);
    }
    const commit: Commit = { revision, at, author, changes: plan.changes };
    this.revision = revision;
    this.commits.push(commit);
    if (this.commits.length > this.limit) this.commits.shift();
    this.watchers.publish(commit);
    return { kind: 'committed', commit };
  }

  async watch(afterRevision: number, watcher: StoreWatcher): Promise<StoreWatch> {
    return this.watchers.add(this.after(afterRevision), watcher);
  }

  async commitsAfter(afterRevision: number): Promise<readonly Commit[]> {
    return this.after(afterRevision);
  }

  async history(options: { readonly key?: ObjectKey; readonly limit: number }): Promise<readonly Commit[]> {
    const { key, limit } = options;
    const wanted =
      key === undefined
        ? this.commits
        : this.commits.filter((commit) => commit.changes.some((change) => sameKey(change.object, key)));
    return wanted.slice(-limit).toReversed();
  }

  async close(): Promise<void> {
    this.watchers.close();
  }

  private after(revision: number): readonly Commit[] {
    const oldest = this.commits[0]?.revision ?? this.revision + 1;
    if (revision + 1 < oldest) throw compacted(revision, oldest);
    return this.commits.filter((commit) => commit.revision > revision);
  }
}
