// Hot path.
import type { Gauge } from '@heddle/telemetry';
import { type RetryBudget, RetryLimit } from './retry-limit.ts';

/** `circuit_breakers.thresholds` of one priority: how much a cluster may hold at once. */
export interface CircuitBreakerLimits {
  readonly maxConnections: number;
  /** Requests that wait for a connection. */
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  /** Retries at once. */
  readonly maxRetries: number;
  /** Takes the place of `maxRetries`; null for none. */
  readonly retryBudget: RetryBudget | null;
  /** Connections to one endpoint (`per_host_thresholds`); `noLimit` where there is none. */
  readonly maxConnectionsPerEndpoint: number;
  /** Export the `remaining_*` gauges. */
  readonly tracksRemaining: boolean;
}

/** More connections than anything can have. */
export const noLimit = 0xffff_ffff;

/** Envoy's defaults. */
export const defaultCircuitBreakerLimits: CircuitBreakerLimits = Object.freeze({
  maxConnections: 1024,
  maxPendingRequests: 1024,
  maxRequests: 1024,
  maxRetries: 3,
  retryBudget: null,
  maxConnectionsPerEndpoint: noLimit,
  tracksRemaining: false,
});

/** Where a breaker shows its state; 1 for open. The `remaining` ones are null where they aren't tracked. */
export interface CircuitBreakerGauges {
  readonly connectionsOpen: Gauge;
  readonly pendingOpen: Gauge;
  readonly requestsOpen: Gauge;
  readonly retriesOpen: Gauge;
  readonly remainingConnections: Gauge | null;
  readonly remainingPending: Gauge | null;
  readonly remainingRequests: Gauge | null;
  readonly remainingRetries: Gauge | null;
}

/** One limit and what counts against it: a check is one comparison of integers. */
export class CircuitBreakerResource {
  readonly max: number;
  private held = 0;
  private readonly open: Gauge;
  private readonly remaining: Gauge | null;

  constructor(max: number, open: Gauge, remaining: Gauge | null) {
    this.max = max;
    this.open = open;
    this.remaining = remaining;
    if (max === 0 || remaining !== null) this.show();
  }

  /** How much is held now: more than the limit where an endpoint's first connection was made regardless of it. */
  get current(): number {
    return this.held;
  }

  get takesMore(): boolean {
    return this.held < this.max;
  }

  add(): void {
    if (++this.held >= this.max || this.remaining !== null) this.show();
  }

  remove(): void {
    if (this.held-- >= this.max || this.remaining !== null) this.show();
  }

  private show(): void {
    this.open.value = this.held >= this.max ? 1 : 0;
    if (this.remaining !== null) this.remaining.value = Math.max(0, this.max - this.held);
  }
}

/** What a cluster holds for requests of one priority, beside its limits; shared by the pools of all its endpoints. */
export class CircuitBreaker {
  readonly limits: CircuitBreakerLimits;
  /** Connections made or being made. */
  readonly connections: CircuitBreakerResource;
  readonly pendingRequests: CircuitBreakerResource;
  readonly requests: CircuitBreakerResource;
  readonly retries: RetryLimit;

  constructor(limits: CircuitBreakerLimits, gauges: CircuitBreakerGauges) {
    this.limits = limits;
    this.connections = new CircuitBreakerResource(
      limits.maxConnections,
      gauges.connectionsOpen,
      gauges.remainingConnections,
    );
    this.pendingRequests = new CircuitBreakerResource(
      limits.maxPendingRequests,
      gauges.pendingOpen,
      gauges.remainingPending,
    );
    this.requests = new CircuitBreakerResource(
      limits.maxRequests,
      gauges.requestsOpen,
      gauges.remainingRequests,
    );
    this.retries = new RetryLimit(
      limits,
      this.requests,
      this.pendingRequests,
      gauges.retriesOpen,
      gauges.remainingRetries,
    );
  }
}
