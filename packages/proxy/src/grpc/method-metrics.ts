// Hot path: counting; series are made when they are first counted in.
import type { Counter, Histogram, Labels, MetricScope } from '@heddle/telemetry';
import { GrpcStatus, lastKnownStatus, parseGrpcStatus } from './status.ts';

/** The series of one method of a cluster's, or of all those that have none of their own. */
export class MethodMetrics {
  readonly requestMessages: Counter;
  readonly responseMessages: Counter;
  private readonly successes: Counter;
  private readonly failures: Counter;
  private readonly total: Counter;
  private readonly byStatus: (Counter | null)[] = Array.from({ length: lastKnownStatus + 1 }, () => null);
  private upstreamTimeMs: Histogram | null = null;
  private readonly scope: MetricScope;
  private readonly prefix: string;
  private readonly labels: Labels;

  /** `prefix` is what the families' names begin with. */
  constructor(scope: MetricScope, prefix: string, labels: Labels) {
    const counter = (name: string, help: string): Counter => scope.counter(prefix + name, help, labels);
    this.scope = scope;
    this.prefix = prefix;
    this.labels = labels;
    this.requestMessages = counter('request_message_count', 'Messages of gRPC requests.');
    this.responseMessages = counter('response_message_count', 'Messages of gRPC responses.');
    this.successes = counter('success', 'gRPC calls that ended with status 0.');
    this.failures = counter('failure', 'gRPC calls that ended with another status.');
    this.total = counter('total', 'gRPC calls that ended with a status.');
  }

  /**
   * Counts a `grpc-status`, by Envoy's example as often as a response has one. Codes that gRPC doesn't define count as
   * UNKNOWN, which is what clients take them for: an upstream can't make series up.
   */
  countStatus(value: string): void {
    const parsed = parseGrpcStatus(value);
    const status = parsed > lastKnownStatus ? GrpcStatus.unknown : parsed;
    if (status === GrpcStatus.ok) this.successes.value++;
    else this.failures.value++;
    this.total.value++;
    (this.byStatus[status] ?? this.addStatus(status)).value++;
  }

  /** From the request's last byte sent to the response's last byte received. */
  observeUpstreamTime(ms: number): void {
    this.upstreamTimeMs ??= this.scope.histogram(
      `${this.prefix}upstream_rq_time`,
      'Time of gRPC calls in milliseconds.',
      this.labels,
    );
    this.upstreamTimeMs.observe(ms);
  }

  private addStatus(status: number): Counter {
    const counter = this.scope.counter(
      `${this.prefix}${status}`,
      `gRPC calls that ended with status ${status}.`,
      this.labels,
    );
    this.byStatus[status] = counter;
    return counter;
  }
}
