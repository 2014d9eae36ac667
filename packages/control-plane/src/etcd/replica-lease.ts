/**
 * The lease in etcd that says that this control plane is alive. What hangs on it goes with it. One renewal every few
 * seconds, however many instances there are.
 */
import { errorMessage, type Clock, type Logger, type Timer } from '@heddle/base';
import type { EtcdClient } from './etcd-client.ts';

/** How long what a dead control plane held stays: enough for its sidecars to go to another one. */
const ttlSeconds = 10;
const renewMs = 3000;

export class ReplicaLease {
  private readonly client: EtcdClient;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly onRenewed: () => void;
  private timer: Timer | null = null;
  private current: bigint;
  private isClosed = false;

  private constructor(client: EtcdClient, clock: Clock, logger: Logger, id: bigint, onRenewed: () => void) {
    this.client = client;
    this.clock = clock;
    this.logger = logger;
    this.current = id;
    this.onRenewed = onRenewed;
    this.renewLater();
  }

  /** `onLost` is called when the lease had expired and there is another: what hung on the old one has to be put anew. */
  static async open(
    client: EtcdClient,
    clock: Clock,
    logger: Logger,
    onLost: () => void,
  ): Promise<ReplicaLease> {
    return new ReplicaLease(client, clock, logger, await client.grantLease(ttlSeconds), onLost);
  }

  get id(): bigint {
    return this.current;
  }

  /** Stops renewing. What hangs on the lease stays until it expires: a restart is no reason to forget it. */
  close(): void {
    this.isClosed = true;
    this.timer?.cancel();
  }

  private renewLater(): void {
    if (this.isClosed) return;
    this.timer = this.clock.setTimer(renewMs, () => {
      void this.renew().finally(() => this.renewLater());
    });
  }

  private async renew(): Promise<void> {
    try {
      if (await this.client.keepLeaseAlive(this.current)) return;
      const id = await this.client.grantLease(ttlSeconds);
      this.logger.warn('The lease in etcd had expired; putting the instances there anew', {});
      this.current = id;
      this.onRenewed();
    } catch (error) {
      this.logger.warn('Cannot renew the lease in etcd', { error: errorMessage(error) });
    }
  }
}
