// Keeps this workload's instance in the mesh: published, renewed, withdrawn (design D5: leases, rebuilt by the proxies).
import {
  type Clock,
  type Logger,
  type Random,
  type Timer,
  systemErrorCode,
  errorMessage,
} from '@heddle/base';
import { RpcCode, type RpcClient, type RpcStatus, type RpcStream, type RpcStreamHandler } from '@heddle/xds';
import { LeaseRequest, LeaseResponse, type Publish } from '@heddle/xds/api/heddle/mesh/v1/instance.ts';

const method = '/heddle.mesh.v1.InstanceService/Lease';
const firstRetryMs = 250;
const longestRetryMs = 2_000;
/** A refusal lasts until somebody changes something: a new token, another name. */
const refusedRetryMs = 30_000;

/** How a withdrawal ended. */
export interface Withdrawal {
  /** Every proxy that knew the endpoint has confirmed that it knows it no more. */
  readonly acknowledged: boolean;
  /** Proxies that had not confirmed it in time. */
  readonly waiting: number;
}

export interface InstanceLeaseOptions {
  readonly rpc: RpcClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly instance: Omit<Publish, '_unknownFields'>;
  /** Called each time the control plane has taken the instance in. */
  onPublished(): void;
  /** Called with the reason when the control plane does not take the instance in: once for each reason in a row. */
  onRefused(message: string): void;
}

/**
 * The lease of one instance. A lost stream is opened again and the instance published again, with jitter, so that a
 * restarted control plane hears of every instance within its grace time.
 */
export class InstanceLease implements RpcStreamHandler {
  private readonly options: InstanceLeaseOptions;
  private stream: RpcStream | null = null;
  private isWanted = false;
  private renewal: Timer | null = null;
  private retry: Timer | null = null;
  private failures = 0;
  /** Why the last attempts were refused; null where they weren't. */
  private refusal: string | null = null;
  private withdrawing: ((outcome: Withdrawal) => void) | null = null;

  constructor(options: InstanceLeaseOptions) {
    this.options = options;
  }

  /** Publishes the instance and keeps it published. */
  publish(): void {
    if (this.isWanted) return;
    this.isWanted = true;
    this.open();
  }

  /** Takes the instance out of the mesh; resolves when all proxies have acknowledged it or the time is up. */
  withdraw(timeoutMs: number): Promise<Withdrawal> {
    this.isWanted = false;
    this.cancelTimers();
    const stream = this.stream;
    // Without a control plane nobody can be told; its copy of the lease runs out when it is back.
    if (stream === null) return Promise.resolve({ acknowledged: false, waiting: 0 });
    return new Promise((resolve) => {
      const timer = this.options.clock.setTimer(timeoutMs, () =>
        this.settle({ acknowledged: false, waiting: 0 }),
      );
      this.withdrawing = (outcome) => {
        timer.cancel();
        resolve(outcome);
      };
      stream.send(LeaseRequest.encode({ request: { $case: 'withdraw', value: {} } }).finish());
    });
  }

  /** Gives the stream up without withdrawing. */
  close(): void {
    this.isWanted = false;
    this.cancelTimers();
    this.stream?.cancel();
    this.stream = null;
  }

  // RpcStreamHandler

  onMessage(message: Uint8Array): void {
    let response: LeaseResponse;
    try {
      response = LeaseResponse.decode(message);
    } catch (error) {
      this.options.logger.warn('the control plane sent a lease response that cannot be read', {
        reason: errorMessage(error),
      });
      return;
    }
    if (response.response?.$case === 'published') {
      this.failures = 0;
      this.refusal = null;
      this.scheduleRenewal(response.response.value.renewMs);
      this.options.onPublished();
    } else if (response.response?.$case === 'withdrawn') {
      const { acknowledged, waiting } = response.response.value;
      this.settle({ acknowledged, waiting });
    }
  }

  onHalfClose(): void {
    // Clients are not told of this.
  }

  onWritable(): void {
    // A lease's messages are few and small; none waits.
  }

  onEnd(status: RpcStatus): void {
    this.stream = null;
    this.renewal?.cancel();
    this.renewal = null;
    this.settle({ acknowledged: false, waiting: 0 });
    if (!this.isWanted) return;
    if (status.code === RpcCode.permissionDenied) {
      this.noteRefusal(status.message);
      this.openAfter(refusedRetryMs);
      return;
    }
    this.failures++;
    if (this.failures === 1) {
      this.options.logger.info('lease stream lost, will publish again', {
        code: status.code,
        reason: status.message,
      });
    }
    this.openAfter(Math.min(firstRetryMs * 2 ** (this.failures - 1), longestRetryMs));
  }

  private noteRefusal(message: string): void {
    if (this.refusal === message) return;
    this.refusal = message;
    this.options.onRefused(message);
  }

  /** With jitter: half of `limitMs` at least. */
  private openAfter(limitMs: number): void {
    const delayMs = limitMs * (0.5 + this.options.random.float() / 2);
    this.retry = this.options.clock.setTimer(delayMs, () => {
      this.retry = null;
      this.open();
    });
  }

  private open(): void {
    const { rpc, instance, logger } = this.options;
    try {
      this.stream = rpc.openStream(method, this);
    } catch (error) {
      logger.warn('lease stream cannot be opened', { reason: systemErrorCode(error) || errorMessage(error) });
      this.onEnd({ code: 14, message: errorMessage(error) });
      return;
    }
    this.stream.send(LeaseRequest.encode({ request: { $case: 'publish', value: instance } }).finish());
  }

  private scheduleRenewal(renewMs: number): void {
    this.renewal?.cancel();
    this.renewal = this.options.clock.setTimer(renewMs, () => {
      this.stream?.send(LeaseRequest.encode({ request: { $case: 'renew', value: {} } }).finish());
      this.scheduleRenewal(renewMs);
    });
  }

  private settle(outcome: Withdrawal): void {
    const resolve = this.withdrawing;
    this.withdrawing = null;
    if (resolve === null) return;
    resolve(outcome);
    this.stream?.end();
  }

  private cancelTimers(): void {
    this.renewal?.cancel();
    this.renewal = null;
    this.retry?.cancel();
    this.retry = null;
  }
}
