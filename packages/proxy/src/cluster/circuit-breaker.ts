// Hot path.

/** `circuit_breakers.thresholds` of one priority: how much a cluster may hold at once. */
export interface CircuitBreakerLimits {
  readonly maxConnections: number;
  /** Requests that wait for a connection. */
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
  /** Connections to one endpoint (`per_host_thresholds`); infinite for no limit. */
  readonly maxConnectionsPerEndpoint: number;
  /** Export the `remaining_*` gauges. */
  readonly tracksRemaining: boolean;
}

/** Envoy's defaults. */
export const defaultCircuitBreakerLimits: CircuitBreakerLimits = Object.freeze({
  maxConnections: 1024,
  maxPendingRequests: 1024,
  maxRequests: 1024,
  maxConnectionsPerEndpoint: Infinity,
  tracksRemaining: false,
});

/** What a cluster holds now, for one priority, beside its limits: a check is one comparison of integers. */
export class CircuitBreaker {
  readonly limits: CircuitBreakerLimits;
  /** Connections made or being made. */
  connections = 0;
  pendingRequests = 0;
  requests = 0;

  constructor(limits: CircuitBreakerLimits) {
    this.limits = limits;
  }

  get takesConnection(): boolean {
    return this.connections < this.limits.maxConnections;
  }

  get takesPendingRequest(): boolean {
    return this.pendingRequests < this.limits.maxPendingRequests;
  }

  get takesRequest(): boolean {
    return this.requests < this.limits.maxRequests;
  }
}
