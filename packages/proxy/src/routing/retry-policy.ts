// Hot path: asked when a request has failed, or its response may be no last word.
import type { Random } from '@heddle/base';
import { isRetriedStatus } from '../grpc/retry-condition.ts';

/** What is tried again, as bits: conditions of `retry_on` under Envoy's names. */
export const RetryOn = {
  /** No connection could be made: nothing has been sent. Also what `reset-before-request` asks for. */
  connectFailure: 1,
  /** The upstream says that it has not touched the request. */
  refusedStream: 2,
  /** No response came. */
  reset: 4,
  serverError: 8,
  /** 502, 503, 504. */
  gatewayError: 16,
  /** 409. */
  retriable4xx: 32,
  /** One of `retriable_status_codes`. */
  statusCodes: 64,
  /** The response says that it is a rate limit's; others are not tried again then. */
  rateLimited: 128,
} as const;

const onAnyReset = RetryOn.reset | RetryOn.serverError | RetryOn.gatewayError;

const onResponses =
  RetryOn.serverError |
  RetryOn.gatewayError |
  RetryOn.retriable4xx |
  RetryOn.statusCodes |
  RetryOn.rateLimited;

export interface RetryPolicyFields {
  /** Bits of `RetryOn`. */
  readonly conditions: number;
  /** Statuses of gRPC calls as `grpcRetryCondition` gives them, a bit for each. */
  readonly grpcStatuses: number;
  readonly maxRetries: number;
  readonly statusCodes: ReadonlySet<number>;
  /** The bound of the first pause; it doubles from retry to retry. */
  readonly baseIntervalMs: number;
  readonly maxIntervalMs: number;
}

/** Which requests of a route are tried again, how often, and after which pause. */
export class RetryPolicy {
  readonly maxRetries: number;
  private readonly conditions: number;
  private readonly grpcStatuses: number;
  private readonly statusCodes: ReadonlySet<number>;
  private readonly baseIntervalMs: number;
  private readonly maxIntervalMs: number;

  constructor(fields: RetryPolicyFields) {
    this.maxRetries = fields.maxRetries;
    this.conditions = fields.conditions;
    this.grpcStatuses = fields.grpcStatuses;
    this.statusCodes = fields.statusCodes;
    this.baseIntervalMs = fields.baseIntervalMs;
    this.maxIntervalMs = fields.maxIntervalMs;
  }

  /** Whether a response can be a reason. */
  get looksAtResponses(): boolean {
    return (this.conditions & onResponses) !== 0 || this.grpcStatuses !== 0;
  }

  /** Whether it has requests tried again that have been sent. */
  get repeatsWhatWasSent(): boolean {
    return (this.conditions & ~RetryOn.connectFailure) !== 0 || this.grpcStatuses !== 0;
  }

  get coversConnectFailure(): boolean {
    return (this.conditions & (RetryOn.connectFailure | onAnyReset)) !== 0;
  }

  /** A request of which something has been sent and to which no response came. */
  coversReset(isRefused: boolean): boolean {
    return (this.conditions & (isRefused ? RetryOn.refusedStream | onAnyReset : onAnyReset)) !== 0;
  }

  /** `grpcStatus` is what the response's head says of it, null for nothing. */
  coversResponse(status: number, isRateLimited: boolean, grpcStatus: string | null = null): boolean {
    const { conditions } = this;
    if (isRateLimited) return (conditions & RetryOn.rateLimited) !== 0;
    if (isRetriedStatus(this.grpcStatuses, grpcStatus)) return true;
    if (status >= 500) {
      if ((conditions & RetryOn.serverError) !== 0) return true;
      if ((conditions & RetryOn.gatewayError) !== 0 && status >= 502 && status <= 504) return true;
    }
    if (status === 409 && (conditions & RetryOn.retriable4xx) !== 0) return true;
    return (conditions & RetryOn.statusCodes) !== 0 && this.statusCodes.has(status);
  }

  /** How long to wait before retry number `retry`, from 1: any time below a bound, so that many don't come at once. */
  pauseMs(retry: number, random: Random): number {
    const bound = Math.min(this.maxIntervalMs, this.baseIntervalMs * 2 ** Math.min(retry - 1, 30));
    return random.uint32() % bound;
  }
}
