import { errorMessage, HeddleError, type Clock, type Logger } from '@heddle/base';
import { instanceSchema } from '../instances/instance-schema.ts';
import type { Instance, InstanceStore, InstanceWatcher } from '../instances/instance-store.ts';
import type { EtcdClient, EtcdWatch } from './etcd-client.ts';
import { endOfPrefix, type KeyValue, type WatchEvent } from './messages.ts';
import { ReplicaLease } from './replica-lease.ts';

export interface EtcdInstanceStoreOptions {
  /** Stays its maker's to close. */
  readonly client: EtcdClient;
  readonly prefix: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const retryMs = 500;

/** An instance that this control plane holds. */
interface OwnInstance {
  readonly instance: Instance;
  /** etcd's revision of what was put last; 0 before that. */
  revision: number;
  /** Whether it is being put, or waits for that. */
  isWriting: boolean;
  /** What has been heard of its key meanwhile: it came before what was put, or after it. */
  held: WatchEvent | null;
}

/**
 * The instances of several control planes: each puts those whose sidecars it serves below its own lease and follows those
 * of the others. Sidecars renew with the control plane; etcd hears of an instance when it comes, moves or goes.
 */
export class EtcdInstanceStore implements InstanceStore {
  private readonly client: EtcdClient;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly keys: string;
  /** What this control plane holds. */
  private readonly own = new Map<string, OwnInstance>();
  /** Ids of what others hold. */
  private readonly others = new Set<string>();
  /** Ids whose record in etcd may be another than it should be. */
  private readonly doubtful = new Set<string>();
  private isMending = false;
  /** Writes happen one after the other: etcd must not see an instance's end before its beginning. */
  private writing: Promise<void> = Promise.resolve();
  private watcher: InstanceWatcher | null = null;
  private stream: EtcdWatch | null = null;
  private lease!: ReplicaLease;
  private isClosed = false;

  private constructor({ client, prefix, clock, logger }: EtcdInstanceStoreOptions) {
    this.client = client;
    this.clock = clock;
    this.logger = logger;
    this.keys = `${prefix}/instances/`;
  }

  static async open(options: EtcdInstanceStoreOptions): Promise<EtcdInstanceStore> {
    const store = new EtcdInstanceStore(options);
    store.lease = await ReplicaLease.open(options.client, options.clock, options.logger, () => {
      store.mend(store.own.keys());
    });
    return store;
  }

  /** The lease below which this control plane's instances stand. */
  get replicaLease(): ReplicaLease {
    return this.lease;
  }

  /** Nothing: what an earlier process of this control plane held is another's until its sidecars have come back. */
  async list(): Promise<readonly Instance[]> {
    return [];
  }

  /** Where it rejects, the instance is not this control plane's, and etcd is rid of it as soon as it answers. */
  async put(instance: Instance): Promise<void> {
    const { instance: id } = instance;
    const own: OwnInstance = { instance, revision: 0, isWriting: true, held: null };
    this.own.set(id, own);
    this.others.delete(id);
    try {
      await this.write(id);
    } catch (error) {
      if (this.own.get(id) === own) this.own.delete(id);
      this.mend([id]);
      throw error;
    }
  }

  /** Where it rejects, it is tried again until it is done. */
  async remove(instance: string): Promise<void> {
    if (!this.own.delete(instance)) return;
    try {
      await this.write(instance);
    } catch (error) {
      this.mend([instance]);
      throw error;
    }
  }

  async watch(watcher: InstanceWatcher): Promise<void> {
    this.watcher = watcher;
    const revision = await this.readAll();
    this.follow(revision + 1);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.watcher = null;
    this.stream?.cancel();
    this.lease.close();
  }

  /** Brings the record of an instance in etcd to what is held here. */
  private write(id: string): Promise<void> {
    const written = this.writing.then(async () => await this.writeNow(id));
    this.writing = written.catch(() => {});
    return written;
  }

  private async writeNow(id: string): Promise<void> {
    const key = this.keys + id;
    const lease = this.lease.id;
    const own = this.own.get(id);
    if (own === undefined) {
      // Not where it is another's by now.
      await this.client.txn({ compare: [{ key, lease }], success: [{ type: 'delete', key }] });
      return;
    }
    const value = Buffer.from(JSON.stringify(own.instance));
    own.isWriting = true;
    try {
      const { revision } = await this.client.txn({
        compare: [],
        success: [{ type: 'put', key, value, lease }],
      });
      own.revision = revision;
    } finally {
      const { held } = own;
      own.isWriting = false;
      own.held = null;
      if (held !== null && this.own.get(id) === own) this.takeEvent(held);
    }
  }

  /** Writes these again until etcd has taken them. */
  private mend(ids: Iterable<string>): void {
    for (const id of ids) this.doubtful.add(id);
    if (this.isMending) return;
    this.isMending = true;
    void this.mendAll();
  }

  private async mendAll(): Promise<void> {
    let isComplaining = false;
    for (const id of this.doubtful) {
      if (this.isClosed) return;
      this.doubtful.delete(id);
      try {
        await this.write(id);
      } catch (error) {
        this.doubtful.add(id);
        if (!isComplaining)
          this.logger.error('Cannot put the instances into etcd', { error: errorMessage(error) });
        isComplaining = true;
        await new Promise<void>((resolve) => {
          this.clock.setTimer(retryMs, resolve);
        });
      }
    }
    this.isMending = false;
  }

  /** Compares what there is with what is known; returns etcd's revision of it. */
  private async readAll(): Promise<number> {
    const { kvs, revision } = await this.client.rangeAll(this.keys, endOfPrefix(this.keys));
    const gone = new Set(this.others);
    for (const kv of kvs) {
      gone.delete(kv.key.slice(this.keys.length));
      this.takeEvent({ type: 'put', kv });
    }
    for (const id of gone) this.forget(id);
    return revision;
  }

  private follow(startRevision: number): void {
    if (this.isClosed) return;
    const range = { key: this.keys, end: endOfPrefix(this.keys), startRevision };
    this.stream = this.client.watch(
      range,
      ({ events }) => {
        for (const event of events) this.takeEvent(event);
      },
      (error) => {
        this.logger.warn('Cannot follow the instances in etcd', { error: error.message });
        this.followLater();
      },
    );
  }

  private followLater(): void {
    this.clock.setTimer(retryMs, () => {
      if (this.isClosed) return;
      this.readAll().then(
        (revision) => this.follow(revision + 1),
        () => this.followLater(),
      );
    });
  }

  private takeEvent(event: WatchEvent): void {
    const { type, kv } = event;
    const id = kv.key.slice(this.keys.length);
    if (type === 'put' && kv.lease === this.lease.id) return;
    const own = this.own.get(id);
    if (own !== undefined && kv.modRevision < own.revision) return;
    if (own?.isWriting === true) {
      own.held = event;
      return;
    }
    if (type === 'put') this.take(id, kv);
    // With a lease of ours that has expired, while the sidecar is well.
    else if (own !== undefined) this.mend([id]);
    else this.forget(id);
  }

  private take(id: string, kv: KeyValue): void {
    const instance = this.parse(kv);
    if (instance === undefined) return;
    this.own.delete(id);
    this.others.add(id);
    this.watcher?.onPut(instance);
  }

  private forget(id: string): void {
    if (this.others.delete(id)) this.watcher?.onRemove(id);
  }

  private parse(kv: KeyValue): Instance | undefined {
    try {
      return instanceSchema.parse(JSON.parse(Buffer.from(kv.value).toString()));
    } catch (error) {
      const damage = new HeddleError('HEDDLE_STORE_CORRUPT', `The record ${kv.key} in etcd is damaged.`, {
        cause: error,
      });
      this.logger.error('An instance in etcd is left out', { error: damage.message });
      return undefined;
    }
  }
}
