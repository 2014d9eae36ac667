// Hot path.
import type { Gauge } from '@heddle/telemetry';
import { LocalCounts, type ProcessCount, type ProcessCounts } from '../stack/process-counts.ts';
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

/** One limit and what counts against it. */
export interface CircuitBreakerResource {
  readonly max: number;
  /** How much is held now: more than the limit where an endpoint's first connection was made regardless of it. */
  readonly current: number;
  readonly takesMore: boolean;
  add(): void;
  remove(): void;
  /** Sets the gauges to what is held now. */
  show(): void;
  /** Nothing more will be added. */
  close(): void;
}

/** In a process of one thread: a check is one comparison of integers. */
class OwnResource implements CircuitBreakerResource {
  readonly max: number;
  current = 0;
  private readonly open: Gauge;
  private readonly remaining: Gauge | null;

  constructor(max: number, open: Gauge, remaining: Gauge | null) {
    this.max = max;
    this.open = open;
    this.remaining = remaining;
    if (max === 0 || remaining !== null) this.show();
  }

  get takesMore(): boolean {
    return this.current < this.max;
  }

  add(): void {
    if (++this.current >= this.max || this.remaining !== null) this.show();
  }

  remove(): void {
    if (this.current-- >= this.max || this.remaining !== null) this.show();
  }

  show(): void {
    this.open.value = this.current >= this.max ? 1 : 0;
    if (this.remaining !== null) this.remaining.value = Math.max(0, this.max - this.current);
  }

  close(): void {
    // Nobody else counts here.
  }
}

/**
 * In a process of several threads, all of which count together. Between a check and what it lets through another thread may
 * get in: as in Envoy, a limit can be exceeded by as many as there are other threads.
 */
class SharedResource implements CircuitBreakerResource {
  readonly max: number;
  private readonly count: ProcessCount;
  private readonly open: Gauge;
  private readonly remaining: Gauge | null;

  constructor(max: number, count: ProcessCount, open: Gauge, remaining: Gauge | null) {
    this.max = max;
    this.count = count;
    this.open = open;
    this.remaining = remaining;
  }

  get current(): number {
    return this.count.value;
  }

  get takesMore(): boolean {
    return this.count.value < this.max;
  }

  add(): void {
    this.count.add();
  }

  remove(): void {
    this.count.remove();
  }

  // Other threads change the count too, so that gauges are set when somebody reads them.
  show(): void {
    const { value } = this.count;
    this.open.value = value >= this.max ? 1 : 0;
    if (this.remaining !== null) this.remaining.value = Math.max(0, this.max - value);
  }

  close(): void {
    this.count.close();
  }
}

/** Whose limits a breaker's are, where several threads count together. */
export interface SharedBreaker {
  readonly counts: ProcessCounts;
  /** The same on all threads, and no other breaker's. */
  readonly name: string;
}

/** What a cluster holds for requests of one priority, beside its limits; shared by the pools of all its endpoints. */
export class CircuitBreaker {
  readonly limits: CircuitBreakerLimits;
  /** Connections made or being made. */
  readonly connections: CircuitBreakerResource;
  readonly pendingRequests: CircuitBreakerResource;
  readonly requests: CircuitBreakerResource;
  readonly retries: RetryLimit;

  /** `shared` is null in a process of one thread. */
  constructor(
    limits: CircuitBreakerLimits,
    gauges: CircuitBreakerGauges,
    shared: SharedBreaker | null = null,
  ) {
    this.limits = limits;
    const resource = (
      name: string,
      max: number,
      open: Gauge,
      remaining: Gauge | null,
    ): CircuitBreakerResource => {
      if (shared === null) return new OwnResource(max, open, remaining);
      return new SharedResource(max, shared.counts.open(`${shared.name} ${name}`), open, remaining);
    };
    const { maxConnections, maxPendingRequests, maxRequests } = limits;
    this.connections = resource(
      'connections',
      maxConnections,
      gauges.connectionsOpen,
      gauges.remainingConnections,
    );
    this.pendingRequests = resource(
      'pending',
      maxPendingRequests,
      gauges.pendingOpen,
      gauges.remainingPending,
    );
    this.requests = resource('requests', maxRequests, gauges.requestsOpen, gauges.remainingRequests);
    const counts = shared?.counts ?? new LocalCounts();
    this.retries = new RetryLimit(
      limits,
      this.requests,
      this.pendingRequests,
      counts.open(`${shared?.name ?? ''} retries`),
      gauges.retriesOpen,
      gauges.remainingRetries,
    );
  }

  /** Sets the gauges to what is held now. */
  show(): void {
    this.connections.show();
    this.pendingRequests.show();
    this.requests.show();
    this.retries.show();
  }

  /** The cluster is gone; what it holds may come to its end. */
  close(): void {
    this.connections.close();
    this.pendingRequests.close();
    this.requests.close();
    this.retries.close();
  }
}
