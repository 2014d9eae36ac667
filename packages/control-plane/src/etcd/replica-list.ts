/** The control planes that are there: each puts its address below its lease and asks for those of the others now and then. */
import { randomUUID } from 'node:crypto';
import { errorMessage, type Clock, type Logger, type Random, type Timer } from '@heddle/base';
import type { EtcdClient } from './etcd-client.ts';
import { endOfPrefix } from './messages.ts';
import type { ReplicaLease } from './replica-lease.ts';

const lookMs = 5000;

export interface ReplicaListOptions {
  readonly client: EtcdClient;
  readonly prefix: string;
  readonly lease: ReplicaLease;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export class ReplicaList {
  private readonly options: ReplicaListOptions;
  private readonly keys: string;
  private readonly own: string;
  private addresses: readonly string[] = [];
  private timer: Timer | null = null;
  private isClosed = false;

  constructor(options: ReplicaListOptions) {
    this.options = options;
    this.keys = `${options.prefix}/control-planes/`;
    this.own = this.keys + randomUUID();
  }

  /** Puts this control plane's xDS address, `host:port`, and follows the list. */
  async announce(address: string): Promise<void> {
    await this.look(address);
    this.lookLater(address);
  }

  /** The xDS addresses of the other control planes, in an order of chance: their load is shared so. */
  others(): readonly string[] {
    const { random } = this.options;
    return this.addresses
      .map((address) => ({ address, place: random.float() }))
      .sort((a, b) => a.place - b.place)
      .map(({ address }) => address);
  }

  close(): void {
    this.isClosed = true;
    this.timer?.cancel();
  }

  private lookLater(address: string): void {
    if (this.isClosed) return;
    const { clock, logger } = this.options;
    this.timer = clock.setTimer(lookMs, () => {
      this.look(address)
        .catch((error: unknown) =>
          logger.warn('Cannot list the control planes in etcd', { error: errorMessage(error) }),
        )
        .finally(() => this.lookLater(address));
    });
  }

  private async look(address: string): Promise<void> {
    const { client, lease } = this.options;
    const { kvs } = await client.rangeAll(this.keys, endOfPrefix(this.keys));
    const mine = kvs.find(({ key }) => key === this.own);
    // Also after the lease had expired.
    if (mine?.lease !== lease.id) {
      const value = Buffer.from(address);
      await client.txn({ compare: [], success: [{ type: 'put', key: this.own, value, lease: lease.id }] });
    }
    const others = kvs
      .filter(({ key }) => key !== this.own)
      .map(({ value }) => Buffer.from(value).toString());
    // One that has restarted stands there twice until the lease of its earlier process ends.
    this.addresses = [...new Set(others)].filter((other) => other !== address);
  }
}
