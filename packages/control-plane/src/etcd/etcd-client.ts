/** Speaks with an etcd cluster: one call at a time to one of its members, to another where that one does not answer. */
import { errorMessage, HeddleError, type Clock } from '@heddle/base';
import { RpcCode } from '@heddle/xds';
import { GrpcChannel, GrpcError, type ChannelTls } from './grpc-channel.ts';
import {
  decodeLease,
  decodeRange,
  decodeTxn,
  decodeWatch,
  encodeLeaseGrant,
  encodeLeaseId,
  encodeRange,
  encodeTxn,
  encodeWatch,
  type KeyValue,
  type RangeRequest,
  type RangeResponse,
  type TxnRequest,
  type TxnResponse,
  type WatchResponse,
} from './messages.ts';

export type { Operation } from './messages.ts';

/** Where an etcd cluster is and how it is spoken to. */
export interface EtcdOptions {
  /** `host:port` of its members, at least one. */
  readonly endpoints: readonly string[];
  /** Absent: without TLS. */
  readonly tls?: ChannelTls;
}

/** A watch that runs. */
export interface EtcdWatch {
  /** No call follows. */
  cancel(): void;
}

const callTimeoutMs = 5000;
const pageSize = 500;
/** Codes that say that a call was not done, and that another member would not do it either. */
const refusals: ReadonlySet<number> = new Set<number>([
  RpcCode.invalidArgument,
  RpcCode.permissionDenied,
  RpcCode.resourceExhausted,
]);

/** The failure of a call after which it is not known whether it was done. */
export class EtcdUnavailableError extends HeddleError {
  constructor(endpoint: string, error: unknown) {
    super('HEDDLE_STORE_FAILED', `etcd at ${endpoint} does not answer: ${errorMessage(error)}.`, {
      cause: error,
    });
  }
}

export class EtcdClient {
  private readonly endpoints: readonly string[];
  private readonly tls: ChannelTls | undefined;
  private readonly channels = new Map<string, GrpcChannel>();
  private readonly clock: Clock;
  private current = 0;

  constructor({ endpoints, tls }: EtcdOptions, clock: Clock) {
    this.clock = clock;
    this.endpoints = endpoints;
    this.tls = tls;
  }

  /** Reads one range. Asks each member once before it fails. */
  async range(request: RangeRequest): Promise<RangeResponse> {
    const bytes = encodeRange(request);
    return decodeRange(await this.anywhere('/etcdserverpb.KV/Range', bytes));
  }

  /** Reads a range of any size, all of it as of one revision. */
  async rangeAll(key: string, end: string): Promise<RangeResponse> {
    const kvs: KeyValue[] = [];
    let revision = 0;
    let from = key;
    for (;;) {
      const request = { key: from, end, limit: pageSize, ...(revision === 0 ? {} : { revision }) };
      const page = await this.range(request);
      if (revision === 0) revision = page.revision;
      kvs.push(...page.kvs);
      const last = page.kvs.at(-1);
      if (!page.more || last === undefined) return { revision, kvs, more: false };
      from = `${last.key}\0`;
    }
  }

  /**
   * Does a transaction. Rejects with `EtcdUnavailableError` where it may or may not have been done, with
   * `HEDDLE_STORE_TOO_LARGE` or `HEDDLE_STORE_FAILED` where it has not.
   */
  async txn(request: TxnRequest): Promise<TxnResponse> {
    return decodeTxn(await this.call('/etcdserverpb.KV/Txn', encodeTxn(request)));
  }

  async grantLease(ttlSeconds: number): Promise<bigint> {
    return decodeLease(await this.anywhere('/etcdserverpb.Lease/LeaseGrant', encodeLeaseGrant(ttlSeconds)))
      .id;
  }

  async revokeLease(id: bigint): Promise<void> {
    await this.anywhere('/etcdserverpb.Lease/LeaseRevoke', encodeLeaseId(id));
  }

  /** Lengthens a lease; false where there is none any more. */
  async keepLeaseAlive(id: bigint): Promise<boolean> {
    const answer = await this.anywhere('/etcdserverpb.Lease/LeaseKeepAlive', encodeLeaseId(id));
    return decodeLease(answer).ttlSeconds > 0;
  }

  /**
   * Calls `onResponse` for each answer of a watch on the range, from `startRevision` on, until it is cancelled or
   * `onEnd` is called, once.
   */
  watch(
    request: { readonly key: string; readonly end: string; readonly startRevision: number },
    onResponse: (response: WatchResponse) => void,
    onEnd: (error: HeddleError) => void,
  ): EtcdWatch {
    const endpoint = this.endpoint();
    const stream = this.channelTo(endpoint).open('/etcdserverpb.Watch/Watch', {
      onMessage: (bytes) => {
        const response = decodeWatch(bytes);
        if (!response.canceled) {
          onResponse(response);
          return;
        }
        stream.cancel();
        onEnd(this.failure(endpoint, new Error(response.cancelReason || 'the watch was cancelled')));
      },
      onEnd: (error) => onEnd(this.failure(endpoint, error)),
    });
    stream.send(encodeWatch(request));
    return { cancel: () => stream.cancel() };
  }

  close(): void {
    for (const channel of this.channels.values()) channel.close();
    this.channels.clear();
  }

  /** For what may be done twice. */
  private async anywhere(method: string, bytes: Uint8Array): Promise<Uint8Array> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.call(method, bytes);
      } catch (error) {
        if (!(error instanceof EtcdUnavailableError) || attempt >= this.endpoints.length) throw error;
      }
    }
  }

  private async call(method: string, bytes: Uint8Array): Promise<Uint8Array> {
    const endpoint = this.endpoint();
    try {
      return await this.channelTo(endpoint).call(method, bytes, callTimeoutMs);
    } catch (error) {
      throw this.failure(endpoint, error);
    }
  }

  private endpoint(): string {
    return this.endpoints[this.current % this.endpoints.length] ?? '';
  }

  private channelTo(endpoint: string): GrpcChannel {
    let channel = this.channels.get(endpoint);
    if (channel === undefined) {
      channel = new GrpcChannel(endpoint, this.tls, this.clock);
      this.channels.set(endpoint, channel);
    }
    return channel;
  }

  /** Says a failed call as a sentence with a code, and turns to the next member where this one is the reason. */
  private failure(endpoint: string, error: unknown): HeddleError {
    if (error instanceof HeddleError) return error;
    const details = errorMessage(error);
    if (/request is too large|larger than max|too many operations/.test(details)) {
      return new HeddleError(
        'HEDDLE_STORE_TOO_LARGE',
        'This change is larger than etcd takes at once (its --max-request-bytes, 1.5 MiB unless it is set): apply fewer files at a time.',
        { cause: error },
      );
    }
    if (error instanceof GrpcError && refusals.has(error.code))
      return new HeddleError('HEDDLE_STORE_FAILED', `etcd at ${endpoint} refuses: ${details}.`, {
        cause: error,
      });
    if (this.endpoint() === endpoint) this.current++;
    return new EtcdUnavailableError(endpoint, error);
  }
}
