// Hot path: asked when a request has failed.
import type { Gauge } from '@heddle/telemetry';
import type { ProcessCount } from '../stack/process-counts.ts';
import type { CircuitBreakerLimits, CircuitBreakerResource } from './circuit-breaker.ts';

/** `retry_budget`: how many retries there may be at once, as a share of the requests. */
export interface RetryBudget {
  readonly percent: number;
  /** So many may there be however few the requests. */
  readonly minConcurrency: number;
}

/** How many retries a cluster may have under way or waiting at once: as many as `max_retries`, or as its budget says. */
export class RetryLimit {
  private readonly limits: CircuitBreakerLimits;
  private readonly requests: CircuitBreakerResource;
  private readonly pendingRequests: CircuitBreakerResource;
  private readonly open: Gauge;
  private readonly remaining: Gauge | null;
  private readonly count: ProcessCount;

  /** `remaining` is null where it isn't tracked. */
  constructor(
    limits: CircuitBreakerLimits,
    requests: CircuitBreakerResource,
    pendingRequests: CircuitBreakerResource,
    count: ProcessCount,
    open: Gauge,
    remaining: Gauge | null,
  ) {
    this.limits = limits;
    this.requests = requests;
    this.pendingRequests = pendingRequests;
    this.count = count;
    this.open = open;
    this.remaining = remaining;
    this.show();
  }

  get takesMore(): boolean {
    return this.count.value < this.max;
  }

  add(): void {
    this.count.add();
    this.show();
  }

  remove(): void {
    this.count.remove();
    this.show();
  }

  close(): void {
    this.count.close();
  }

  private get max(): number {
    const { retryBudget, maxRetries } = this.limits;
    if (retryBudget === null) return maxRetries;
    const active = this.requests.current + this.pendingRequests.current;
    return Math.max(Math.floor((retryBudget.percent / 100) * active), retryBudget.minConcurrency);
  }

  /** As in Envoy, a budget's state is not shown beforehand: the gauges are those of `max_retries`. */
  show(): void {
    const { maxRetries, retryBudget } = this.limits;
    const { value } = this.count;
    this.open.value = value >= maxRetries ? 1 : 0;
    if (this.remaining !== null)
      this.remaining.value = retryBudget === null ? Math.max(0, maxRetries - value) : 0;
  }
}
