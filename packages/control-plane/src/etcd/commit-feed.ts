/** Follows the commits in etcd: each once and in order, over lost connections, as long as the history reaches. */
import { errorMessage, type Clock, type HeddleError, type Logger, type Random } from '@heddle/base';
import { decodeHead, decodeRecord, type CommitRecord, type ConfigKeys } from './config-records.ts';
import type { EtcdClient, EtcdWatch } from './etcd-client.ts';
import { endOfPrefix, type KeyValue } from './messages.ts';

/** What a feed tells. */
export interface FeedOwner {
  /** The revision that has been taken last. */
  readonly revision: number;
  /** A commit, and etcd's own revision of it. May have been taken already: those are to be ignored. */
  take(record: CommitRecord, modRevision: number): void;
  /** Commits are missing between what was taken and what there is. Must end with everything read anew. */
  resync(): Promise<void>;
}

export interface FeedOptions {
  readonly client: EtcdClient;
  readonly keys: ConfigKeys;
  readonly owner: FeedOwner;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const firstPauseMs = 100;
const longestPauseMs = 2000;

export class CommitFeed {
  private readonly options: FeedOptions;
  private watch: EtcdWatch | null = null;
  private pauseMs = firstPauseMs;
  private isClosed = false;
  private isComplaining = false;

  constructor(options: FeedOptions) {
    this.options = options;
  }

  /** Begins; what goes wrong is logged and tried again. */
  start(): void {
    void this.run();
  }

  close(): void {
    this.isClosed = true;
    this.watch?.cancel();
  }

  private async run(): Promise<void> {
    while (!this.isClosed) {
      try {
        const revision = await this.catchUp();
        if (this.isClosed) return;
        await this.follow(revision + 1);
      } catch (error) {
        if (this.isClosed) return;
        // Once for each time it is away.
        if (!this.isComplaining)
          this.options.logger.warn('Cannot follow the configuration in etcd', { error: errorMessage(error) });
        this.isComplaining = true;
      }
      await this.pause();
    }
  }

  /** Takes what has been committed meanwhile; returns etcd's revision up to which that is all. */
  private async catchUp(): Promise<number> {
    const { client, keys, owner } = this.options;
    const from = owner.revision + 1;
    const { kvs, revision } = await client.rangeAll(keys.commit(from), endOfPrefix(keys.commits));
    const records = kvs.map((kv) => ({ record: decodeRecord(kv.key, kv.value), kv }));
    const first = records[0];
    if (
      first === undefined ? await this.isBehind(from - 1, revision) : first.record.commit.revision !== from
    ) {
      await owner.resync();
      return await this.catchUp();
    }
    for (const { record, kv } of records) owner.take(record, kv.modRevision);
    return revision;
  }

  /** Whether there are no commits to take, and the head is another all the same: forgotten ones, or a backup. */
  private async isBehind(taken: number, revision: number): Promise<boolean> {
    const { client, keys } = this.options;
    const { kvs } = await client.range({ key: keys.head, revision });
    const head = kvs[0];
    return (head === undefined ? 0 : decodeHead(head.value).revision) !== taken;
  }

  /** Resolves never; rejects when the watch ends. */
  private async follow(startRevision: number): Promise<never> {
    const { client, keys } = this.options;
    const { promise, reject } = Promise.withResolvers<never>();
    const range = { key: keys.commits, end: endOfPrefix(keys.commits), startRevision };
    this.watch = client.watch(
      range,
      ({ created, events }) => {
        if (created) this.recovered();
        try {
          for (const { type, kv } of events) if (type === 'put') this.takeEvent(kv);
        } catch (error) {
          this.watch?.cancel();
          reject(error);
        }
      },
      (error: HeddleError) => reject(error),
    );
    return await promise;
  }

  private takeEvent(kv: KeyValue): void {
    this.options.owner.take(decodeRecord(kv.key, kv.value), kv.modRevision);
  }

  private recovered(): void {
    this.pauseMs = firstPauseMs;
    if (this.isComplaining) this.options.logger.info('Following the configuration in etcd again', {});
    this.isComplaining = false;
  }

  private async pause(): Promise<void> {
    const { clock, random } = this.options;
    const delayMs = this.pauseMs * (0.5 + random.float() / 2);
    this.pauseMs = Math.min(longestPauseMs, this.pauseMs * 2);
    await new Promise<void>((resolve) => {
      clock.setTimer(delayMs, resolve);
    });
  }
}
