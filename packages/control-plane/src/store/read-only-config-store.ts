import { HeddleError } from '@heddle/base';
import type {
  Commit,
  CommitOutcome,
  ConfigStore,
  ObjectKey,
  StoreSnapshot,
  StoreWatch,
  StoreWatcher,
  StoredObject,
} from './config-store.ts';

/** A store that others read and that only its owner writes, by what it wraps. */
export class ReadOnlyConfigStore implements ConfigStore {
  private readonly inner: ConfigStore;
  private readonly reason: string;

  /** `reason` is the sentence that says where the configuration is changed instead. */
  constructor(inner: ConfigStore, reason: string) {
    this.inner = inner;
    this.reason = reason;
  }

  async read(): Promise<StoreSnapshot> {
    return await this.inner.read();
  }

  async get(key: ObjectKey): Promise<StoredObject | undefined> {
    return await this.inner.get(key);
  }

  async commit(): Promise<CommitOutcome> {
    throw new HeddleError('HEDDLE_STORE_READ_ONLY', this.reason);
  }

  async watch(afterRevision: number, watcher: StoreWatcher): Promise<StoreWatch> {
    return await this.inner.watch(afterRevision, watcher);
  }

  async commitsAfter(afterRevision: number): Promise<readonly Commit[]> {
    return await this.inner.commitsAfter(afterRevision);
  }

  async history(options: Parameters<ConfigStore['history']>[0]): Promise<readonly Commit[]> {
    return await this.inner.history(options);
  }

  async close(): Promise<void> {
    await this.inner.close();
  }
}
