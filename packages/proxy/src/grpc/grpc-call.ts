// Hot path: one object per exchange, used again for the next; nothing is made per call or chunk.
import type { Counter } from '@heddle/telemetry';
import { isGrpcResponse } from './content-type.ts';
import { MessageCounter } from './message-counter.ts';
import type { MethodMetrics } from './method-metrics.ts';
import { callStatus } from './status.ts';

/** Where messages are counted by their caller and callee. */
export interface MessageTotals {
  readonly requests: Counter;
  readonly responses: Counter;
}

/**
 * What is counted of one gRPC call, and how it has ended. It is told of what the upstream gets and gives, in this order:
 * `begin`, `countIn` where there is an upstream, then `onRequestData` as often as there is data, and `onResponseHead`,
 * `onResponseData`, `onTrailers`.
 */
export class GrpcCall {
  private readonly requestMessages = new MessageCounter();
  private readonly responseMessages = new MessageCounter();
  private metrics: MethodMetrics | null = null;
  private webMetrics: MethodMetrics | null = null;
  private totals: MessageTotals | null = null;
  private countsResponse = false;
  private headStatus: string | null = null;
  private trailerStatus: string | null = null;

  /** The next call, of which nothing is counted yet. */
  begin(): void {
    this.requestMessages.reset();
    this.responseMessages.reset();
    this.metrics = null;
    this.webMetrics = null;
    this.totals = null;
    this.countsResponse = false;
    this.headStatus = null;
    this.trailerStatus = null;
  }

  /**
   * Where it is counted from here on; null for what isn't: `metrics` of the method, where `grpc_stats` is configured,
   * `webMetrics` of the method, where the call came as gRPC-Web, `totals` of caller and callee.
   */
  countIn(
    metrics: MethodMetrics | null,
    webMetrics: MethodMetrics | null,
    totals: MessageTotals | null,
  ): void {
    this.metrics = metrics;
    this.webMetrics = webMetrics;
    this.totals = totals;
  }

  onRequestData(buffer: Uint8Array, start: number, end: number): void {
    if (this.metrics === null && this.totals === null) return;
    const messages = this.requestMessages.take(buffer, start, end);
    if (messages === 0) return;
    if (this.metrics !== null) this.metrics.requestMessages.value += messages;
    if (this.totals !== null) this.totals.requests.value += messages;
  }

  /** The head of the final response, the proxy's own too; `endStream`: it is all of it. Fields that are absent are null. */
  onResponseHead(
    status: number,
    contentType: string | null,
    grpcStatus: string | null,
    endStream: boolean,
  ): void {
    this.countsResponse =
      (this.metrics !== null || this.totals !== null) &&
      isGrpcResponse(status, contentType, grpcStatus, endStream);
    this.headStatus = grpcStatus;
    this.countStatus(grpcStatus);
  }

  onResponseData(buffer: Uint8Array, start: number, end: number): void {
    if (!this.countsResponse) return;
    const messages = this.responseMessages.take(buffer, start, end);
    if (messages === 0) return;
    if (this.metrics !== null) this.metrics.responseMessages.value += messages;
    if (this.totals !== null) this.totals.responses.value += messages;
  }

  onTrailers(grpcStatus: string | null): void {
    this.trailerStatus = grpcStatus;
    this.countStatus(grpcStatus);
  }

  /** The response is complete, and so was the request before it; `ms` from the one's last byte to the other's. */
  onUpstreamTime(ms: number): void {
    this.metrics?.observeUpstreamTime(ms);
  }

  /** How the call has ended, for logs and metrics; -1 where there was no response (`httpStatus` 0). */
  status(httpStatus: number): number {
    return callStatus(this.trailerStatus, this.headStatus, httpStatus);
  }

  private countStatus(grpcStatus: string | null): void {
    if (grpcStatus === null) return;
    this.metrics?.countStatus(grpcStatus);
    this.webMetrics?.countStatus(grpcStatus);
  }
}
