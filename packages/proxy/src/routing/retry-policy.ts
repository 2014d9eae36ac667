// Hot path: asked when a request has failed, or its response may be no last word.
import type { Random } from '@heddle/base';
import { isRetriedStatus } from '../grpc/retry-condition.ts';
import type { HeaderMatcher } from './header-matcher.ts';
import type { RequestView } from './request-view.ts';

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
  /** A field of the response: one of `retriable_headers`. */
  fields: 256,
} as const;

const onAnyReset = RetryOn.reset | RetryOn.serverError | RetryOn.gatewayError;

const onResponses =
  RetryOn.serverError |
  RetryOn.gatewayError |
  RetryOn.retriable4xx |
  RetryOn.statusCodes |
  RetryOn.rateLimited |
  RetryOn.fields;

/** What a policy reads of a response's head. */
export interface RetriedResponse {
  readonly status: number;
  header(lowerCaseName: string): string | null;
  headerValue(lowerCaseName: string, index: number): string | null;
}

/** A field in which an upstream says how long it wants to be left alone. */
export interface ResetField {
  /** Lower case. */
  readonly name: string;
  /** It holds a Unix time in seconds; otherwise a number of seconds. */
  readonly isTime: boolean;
}

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
  /** Responses with such a field are tried again. */
  readonly responseFields: readonly HeaderMatcher[];
  /** Only requests with one of these are tried again; empty for all. */
  readonly requestFields: readonly HeaderMatcher[];
  /** `rate_limited_retry_back_off`. */
  readonly resetFields: readonly ResetField[];
  /** A longer pause is not kept to. */
  readonly maxResetMs: number;
  /** How many endpoints are picked anew for a try because the request has been at them already; 0 where that doesn't matter. */
  readonly morePicks: number;
}

/** Which requests of a route are tried again, how often, and after which pause. */
export class RetryPolicy {
  readonly maxRetries: number;
  private readonly conditions: number;
  private readonly grpcStatuses: number;
  private readonly statusCodes: ReadonlySet<number>;
  private readonly baseIntervalMs: number;
  private readonly maxIntervalMs: number;
  readonly morePicks: number;
  private readonly responseFields: readonly HeaderMatcher[];
  private readonly requestFields: readonly HeaderMatcher[];
  private readonly resetFields: readonly ResetField[];
  private readonly maxResetMs: number;

  constructor(fields: RetryPolicyFields) {
    this.maxRetries = fields.maxRetries;
    this.conditions = fields.conditions;
    this.grpcStatuses = fields.grpcStatuses;
    this.statusCodes = fields.statusCodes;
    this.baseIntervalMs = fields.baseIntervalMs;
    this.maxIntervalMs = fields.maxIntervalMs;
    this.morePicks = fields.morePicks;
    this.responseFields = fields.responseFields;
    this.requestFields = fields.requestFields;
    this.resetFields = fields.resetFields;
    this.maxResetMs = fields.maxResetMs;
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

  /** Whether this request is tried again at all. */
  coversRequest(request: RequestView): boolean {
    const { requestFields } = this;
    return requestFields.length === 0 || requestFields.some((matcher) => matcher.matches(request));
  }

  coversResponse(head: RetriedResponse): boolean {
    const { conditions } = this;
    const { status } = head;
    if (head.header('x-envoy-ratelimited') !== null) return (conditions & RetryOn.rateLimited) !== 0;
    if (this.grpcStatuses !== 0 && isRetriedStatus(this.grpcStatuses, head.header('grpc-status')))
      return true;
    if ((conditions & RetryOn.fields) !== 0 && this.hasField(head)) return true;
    if (status >= 500) {
      if ((conditions & RetryOn.serverError) !== 0) return true;
      if ((conditions & RetryOn.gatewayError) !== 0 && status >= 502 && status <= 504) return true;
    }
    if (status === 409 && (conditions & RetryOn.retriable4xx) !== 0) return true;
    return (conditions & RetryOn.statusCodes) !== 0 && this.statusCodes.has(status);
  }

  /**
   * How long the upstream wants to be left alone before the next try, at `nowMs` of the calendar; -1 where it says nothing
   * that is kept to.
   */
  toldPauseMs(head: RetriedResponse, nowMs: number): number {
    const { resetFields, maxResetMs } = this;
    for (let i = 0; i < resetFields.length; i++) {
      const { name, isTime } = resetFields[i]!;
      const value = head.headerValue(name, 0);
      if (value === null || !seconds.test(value)) continue;
      const ms = Number(value) * 1000 - (isTime ? Math.floor(nowMs / 1000) * 1000 : 0);
      if (ms > 0 && ms <= maxResetMs) return ms;
    }
    return -1;
  }

  private hasField(head: RetriedResponse): boolean {
    const view = new ResponseFields(head);
    return this.responseFields.some((matcher) => matcher.matches(view));
  }

  /** How long to wait before retry number `retry`, from 1: any time below a bound, so that many don't come at once. */
  pauseMs(retry: number, random: Random): number {
    const bound = Math.min(this.maxIntervalMs, this.baseIntervalMs * 2 ** Math.min(retry - 1, 30));
    return random.uint32() % bound;
  }
}

/** As many digits as the seconds of any date have. */
const seconds = /^\d{1,12}$/;

/** A response as matchers of fields read it. */
class ResponseFields implements RequestView {
  readonly method = '';
  readonly path = '';
  readonly authority = '';
  readonly scheme = '';
  private readonly head: RetriedResponse;

  constructor(head: RetriedResponse) {
    this.head = head;
  }

  header(lowerCaseName: string): string | null {
    return this.head.header(lowerCaseName);
  }

  headerValue(lowerCaseName: string, index: number): string | null {
    return this.head.headerValue(lowerCaseName, index);
  }
}
