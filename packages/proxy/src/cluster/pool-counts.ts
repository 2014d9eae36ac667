// Hot path.
import type { Clock } from '@heddle/base';
import { ExchangeEnding } from '../codec/upstream-connection.ts';
import type { TransportError } from '../transport/transport.ts';
import type { ProcessCount } from '../stack/process-counts.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { ClusterMetrics } from './cluster-metrics.ts';

/** What an endpoint knows of its connections and requests. */
export interface EndpointCounts {
  connections: number;
  readonly sharedConnections: ProcessCount | null;
  connectionsTotal: number;
  connectFailures: number;
  pendingRequests: number;
  activeRequests: number;
  requestsTotal: number;
}

/** Counts what a pool does, for the cluster's metrics, its circuit breaker and the endpoint, so that they agree. */
export class PoolCounts {
  private readonly metrics: ClusterMetrics;
  private readonly breaker: CircuitBreaker;
  private readonly endpoint: EndpointCounts;
  private readonly clock: Clock;

  constructor(metrics: ClusterMetrics, breaker: CircuitBreaker, endpoint: EndpointCounts, clock: Clock) {
    this.metrics = metrics;
    this.breaker = breaker;
    this.endpoint = endpoint;
    this.clock = clock;
  }

  connectionBegun(): void {
    const { metrics, endpoint } = this;
    this.breaker.connections.add();
    metrics.connectionsTotal.value++;
    metrics.connectionsActive.value++;
    endpoint.connections++;
    endpoint.sharedConnections?.add();
    endpoint.connectionsTotal++;
  }

  /** `startedAt`: monotonic milliseconds, as in the other calls. */
  connectionMade(startedAt: number): void {
    this.metrics.connectTimeMs.observe(this.clock.monotonic() - startedAt);
  }

  connectionFailed(error: TransportError, closedHere: boolean): void {
    const { metrics, endpoint } = this;
    this.connectionEnded(closedHere);
    metrics.connectFailures.value++;
    endpoint.connectFailures++;
    if (error.kind === 'connect-timeout') metrics.connectTimeouts.value++;
  }

  connectionGone(startedAt: number, closedHere: boolean, wasBusy: boolean): void {
    const { metrics } = this;
    this.connectionEnded(closedHere);
    metrics.connectionLengthMs.observe(this.clock.monotonic() - startedAt);
    if (!wasBusy) return;
    metrics.destroyedWithRequest.value++;
    (closedHere ? metrics.destroyedLocallyWithRequest : metrics.destroyedRemotelyWithRequest).value++;
  }

  waitBegun(): void {
    const { metrics } = this;
    this.breaker.pendingRequests.add();
    metrics.requestsPendingTotal.value++;
    metrics.requestsPending.value++;
    this.endpoint.pendingRequests++;
  }

  waitEnded(): void {
    this.breaker.pendingRequests.remove();
    this.metrics.requestsPending.value--;
    this.endpoint.pendingRequests--;
  }

  requestBegun(): void {
    const { metrics, endpoint } = this;
    this.breaker.requests.add();
    metrics.requestsTotal.value++;
    metrics.requestsActive.value++;
    endpoint.activeRequests++;
    endpoint.requestsTotal++;
  }

  requestEnded(): void {
    this.breaker.requests.remove();
    this.metrics.requestsActive.value--;
    this.endpoint.activeRequests--;
  }

  /** `ending`: one of `ExchangeEnding`, of a stream that shares its connection with others. */
  streamEnded(ending: number): void {
    const { metrics } = this;
    if (ending === ExchangeEnding.resetHere) metrics.resetsByProxy.value++;
    else if (ending === ExchangeEnding.resetByUpstream) metrics.resetsByUpstream.value++;
    // Envoy's name for it, though these were pending no more.
    else if (ending === ExchangeEnding.lost) metrics.pendingFailures.value++;
  }

  private connectionEnded(closedHere: boolean): void {
    const { metrics } = this;
    this.breaker.connections.remove();
    metrics.connectionsActive.value--;
    this.endpoint.connections--;
    this.endpoint.sharedConnections?.remove();
    metrics.connectionsDestroyed.value++;
    (closedHere ? metrics.destroyedLocally : metrics.destroyedRemotely).value++;
  }
}
