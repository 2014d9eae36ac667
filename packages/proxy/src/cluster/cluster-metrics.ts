import type { Counter, Gauge, Histogram, MetricRegistry, MetricScope } from '@heddle/telemetry';
import { CallMetrics } from '../grpc/call-metrics.ts';
import { Http2Metrics } from '../stats/http2-metrics.ts';
import { StatusCounts } from '../stats/status-counts.ts';
import { TlsMetrics } from '../stats/tls-metrics.ts';
import type { CircuitBreakerGauges } from './circuit-breaker.ts';

/** Whose limits: `circuit_breakers.default` and `circuit_breakers.high`. */
export type RoutingPriority = 'default' | 'high';

/**
 * A cluster's metrics under Envoy's names: `cluster.<name>.upstream_rq_total` is
 * `envoy_cluster_upstream_rq_total{envoy_cluster_name="<name>"}` in Prometheus's text, as Envoy itself writes it.
 */
export class ClusterMetrics {
  /** Connections begun. */
  readonly connectionsTotal: Counter;
  /** Those of them that speak HTTP/1. */
  readonly http1ConnectionsTotal: Counter;
  readonly http2ConnectionsTotal: Counter;
  /** Connections made or being made. */
  readonly connectionsActive: Gauge;
  readonly connectFailures: Counter;
  /** Connects that took too long; counted among the failures too. */
  readonly connectTimeouts: Counter;
  readonly connectTimeMs: Histogram;
  readonly connectionLengthMs: Histogram;
  readonly connectionsDestroyed: Counter;
  /** Closed by us. */
  readonly destroyedLocally: Counter;
  readonly destroyedRemotely: Counter;
  readonly destroyedWithRequest: Counter;
  readonly destroyedLocallyWithRequest: Counter;
  readonly destroyedRemotelyWithRequest: Counter;
  /** Closed because the upstream said so: `Connection: close` or its HTTP/1.0. */
  readonly closeNotifications: Counter;
  readonly protocolErrors: Counter;
  readonly idleTimeouts: Counter;
  readonly maxDurationsReached: Counter;
  readonly maxRequestsReached: Counter;
  /** Connections not made because the circuit breaker was open. */
  readonly connectionOverflows: Counter;
  /** Byte streams given up because connecting had failed as often as it may be tried. */
  readonly connectAttemptsExceeded: Counter;
  readonly bytesReceived: Counter;
  readonly bytesSent: Counter;

  /** Requests given to a connection. */
  readonly requestsTotal: Counter;
  readonly requestsActive: Gauge;
  /** Requests that had to wait for a connection. */
  readonly requestsPendingTotal: Counter;
  readonly requestsPending: Gauge;
  /** Requests refused because a circuit breaker was open. */
  readonly requestOverflows: Counter;
  /** Requests that waited for a connection that could not be made. */
  readonly pendingFailures: Counter;
  /** Streams of HTTP/2 that the upstream cut off, and that this side did. */
  readonly resetsByUpstream: Counter;
  readonly resetsByProxy: Counter;
  /** Requests whose client went while they waited for a connection. */
  readonly requestsCancelled: Counter;
  readonly retries: Counter;
  /** Those of them that waited for a while before. */
  readonly retriesBackedOff: Counter;
  /** Those that waited for as long as the upstream said. */
  readonly retriesRateLimited: Counter;
  /** Requests not tried again because a circuit breaker was open. */
  readonly retryOverflows: Counter;
  /** Requests not tried again because their body had gone. */
  readonly retriesAbandoned: Counter;
  readonly retrySuccesses: Counter;
  /** Redirects that the proxy followed itself, and those that it meant to. */
  readonly redirectsFollowed: Counter;
  readonly redirectsPassedOn: Counter;
  readonly retryLimitsReached: Counter;
  readonly requestTimeouts: Counter;
  /** Tries that took too long, or stood still for too long. */
  readonly tryTimeouts: Counter;
  readonly tryIdleTimeouts: Counter;
  /** Requests that found no endpoint. */
  readonly requestsWithoutEndpoint: Counter;
  /** From the request's last byte sent to the response's last byte received, in milliseconds. */
  readonly requestTimeMs: Histogram;

  readonly endpoints: Gauge;
  readonly endpointsHealthy: Gauge;
  readonly endpointsDegraded: Gauge;
  /** Those that drain. */
  readonly endpointsExcluded: Gauge;
  readonly membershipChanges: Counter;
  readonly updateAttempts: Counter;
  readonly updateSuccesses: Counter;
  readonly updateFailures: Counter;
  readonly emptyUpdates: Counter;
  /** Requests whose field for the original destination holds no address. */
  readonly invalidDestinations: Counter;
  /** Picks among all endpoints, because too few were healthy. */
  readonly panicPicks: Counter;

  private readonly scope: MetricScope;
  private readonly labels: { readonly envoy_cluster_name: string };
  /** Answered requests by status, the proxy's answers in the upstream's place too. */
  private readonly responses: StatusCounts;
  /** Responses that were not passed on: their requests were tried again. Made when the first one comes. */
  private retriedResponses: StatusCounts | null = null;
  private http2Metrics: Http2Metrics | null = null;
  private grpcCalls: CallMetrics | null = null;
  private grpcWebCalls: CallMetrics | null = null;

  constructor(registry: MetricRegistry, clusterName: string) {
    const scope = registry.scope();
    const labels = { envoy_cluster_name: clusterName };
    const counter = (name: string, help: string): Counter =>
      scope.counter(`envoy_cluster_${name}`, help, labels);
    const gauge = (name: string, help: string): Gauge => scope.gauge(`envoy_cluster_${name}`, help, labels);
    const milliseconds = (name: string, help: string): Histogram =>
      scope.histogram(`envoy_cluster_${name}`, help, labels);
    this.scope = scope;
    this.labels = labels;
    this.connectionsTotal = counter('upstream_cx_total', 'Connections begun to the cluster.');
    this.http1ConnectionsTotal = counter('upstream_cx_http1_total', 'HTTP/1 connections begun.');
    this.http2ConnectionsTotal = counter('upstream_cx_http2_total', 'HTTP/2 connections begun.');
    this.connectionsActive = gauge('upstream_cx_active', 'Open connections to the cluster.');
    this.connectFailures = counter('upstream_cx_connect_fail', 'Connections that could not be made.');
    this.connectTimeouts = counter('upstream_cx_connect_timeout', 'Connections that took too long to make.');
    this.connectTimeMs = milliseconds('upstream_cx_connect_ms', 'Time to make connections.');
    this.connectionLengthMs = milliseconds('upstream_cx_length_ms', 'Life of connections.');
    this.connectionsDestroyed = counter('upstream_cx_destroy', 'Connections that have ended.');
    this.destroyedLocally = counter('upstream_cx_destroy_local', 'Connections closed by the proxy.');
    this.destroyedRemotely = counter('upstream_cx_destroy_remote', 'Connections closed by the upstream.');
    this.destroyedWithRequest = counter(
      'upstream_cx_destroy_with_active_rq',
      'Connections that ended with a request on them.',
    );
    this.destroyedLocallyWithRequest = counter(
      'upstream_cx_destroy_local_with_active_rq',
      'Connections closed by the proxy with a request on them.',
    );
    this.destroyedRemotelyWithRequest = counter(
      'upstream_cx_destroy_remote_with_active_rq',
      'Connections closed by the upstream with a request on them.',
    );
    this.closeNotifications = counter(
      'upstream_cx_close_notify',
      'Connections that the upstream told to close.',
    );
    this.protocolErrors = counter(
      'upstream_cx_protocol_error',
      'Connections that ended with a protocol error.',
    );
    this.idleTimeouts = counter('upstream_cx_idle_timeout', 'Connections closed for being idle.');
    this.maxDurationsReached = counter(
      'upstream_cx_max_duration_reached',
      'Connections closed for their age.',
    );
    this.maxRequestsReached = counter(
      'upstream_cx_max_requests',
      'Connections closed after their last permitted request.',
    );
    this.connectionOverflows = counter(
      'upstream_cx_overflow',
      'Connections that the circuit breaker refused.',
    );
    this.connectAttemptsExceeded = counter(
      'upstream_cx_connect_attempts_exceeded',
      'Byte streams given up after as many failed connects as are tried.',
    );
    this.bytesReceived = counter('upstream_cx_rx_bytes_total', 'Bytes received from the cluster.');
    this.bytesSent = counter('upstream_cx_tx_bytes_total', 'Bytes sent to the cluster.');
    this.requestsTotal = counter('upstream_rq_total', 'Requests sent to the cluster.');
    this.requestsActive = gauge('upstream_rq_active', 'Requests in flight to the cluster.');
    this.requestsPendingTotal = counter(
      'upstream_rq_pending_total',
      'Requests that waited for a connection.',
    );
    this.requestsPending = gauge('upstream_rq_pending_active', 'Requests that wait for a connection.');
    this.requestOverflows = counter(
      'upstream_rq_pending_overflow',
      'Requests that the circuit breaker refused.',
    );
    this.pendingFailures = counter(
      'upstream_rq_pending_failure_eject',
      'Requests that waited for a connection that could not be made.',
    );
    this.requestsCancelled = counter(
      'upstream_rq_cancelled',
      'Requests given up before they had a connection.',
    );
    this.resetsByUpstream = counter('upstream_rq_rx_reset', 'Requests cut off by the upstream.');
    this.resetsByProxy = counter('upstream_rq_tx_reset', 'Requests cut off by the proxy.');
    this.retries = counter('upstream_rq_retry', 'Requests tried again.');
    this.retriesBackedOff = counter(
      'upstream_rq_retry_backoff_exponential',
      'Requests tried again after a pause that grows.',
    );
    this.retriesRateLimited = counter(
      'upstream_rq_retry_backoff_ratelimited',
      'Requests tried again after as long as the upstream said.',
    );
    this.retryOverflows = counter(
      'upstream_rq_retry_overflow',
      'Requests that the circuit breaker did not let be tried again.',
    );
    this.retriesAbandoned = counter(
      'retry_or_shadow_abandoned',
      'Requests not tried again because their body had gone.',
    );
    this.retrySuccesses = counter(
      'upstream_rq_retry_success',
      'Requests answered after they were tried again.',
    );
    this.redirectsFollowed = counter(
      'upstream_internal_redirect_succeeded_total',
      'Redirects that the proxy followed itself.',
    );
    this.redirectsPassedOn = counter(
      'upstream_internal_redirect_failed_total',
      'Redirects that the proxy could not follow itself.',
    );
    this.retryLimitsReached = counter(
      'upstream_rq_retry_limit_exceeded',
      'Requests that failed as often as their route lets them be tried.',
    );
    this.requestTimeouts = counter('upstream_rq_timeout', 'Requests that got no response in time.');
    this.tryTimeouts = counter('upstream_rq_per_try_timeout', 'Tries that got no response in time.');
    this.tryIdleTimeouts = counter(
      'upstream_rq_per_try_idle_timeout',
      'Tries that stood still for too long.',
    );
    this.requestsWithoutEndpoint = counter('upstream_cx_none_healthy', 'Requests that found no endpoint.');
    this.responses = new StatusCounts(scope, 'envoy_cluster_upstream_rq', labels);
    this.requestTimeMs = milliseconds('upstream_rq_time', 'Time of requests in milliseconds.');
    this.endpoints = gauge('membership_total', 'Endpoints of the cluster.');
    this.endpointsHealthy = gauge('membership_healthy', 'Endpoints of the cluster that may be picked.');
    this.endpointsDegraded = gauge(
      'membership_degraded',
      'Endpoints of the cluster that are the last resort.',
    );
    this.endpointsExcluded = gauge('membership_excluded', 'Endpoints of the cluster that drain.');
    this.membershipChanges = counter('membership_change', 'Changes of the list of endpoints.');
    this.updateAttempts = counter('update_attempt', 'Attempts to learn the endpoints.');
    this.updateSuccesses = counter('update_success', 'Attempts that gave a list.');
    this.updateFailures = counter('update_failure', 'Attempts that failed.');
    this.emptyUpdates = counter('update_empty', 'Attempts that gave an empty list.');
    this.invalidDestinations = counter(
      'original_dst_host_invalid',
      'Requests that named no valid original destination.',
    );
    this.panicPicks = counter('lb_healthy_panic', 'Picks among all endpoints, for want of healthy ones.');
  }

  /** Counts an answer by its status, that of the proxy in the upstream's place too; 0 is no answer. */
  countResponse(status: number): void {
    this.responses.count(status);
  }

  /** Counts a response whose request is tried again. */
  countRetriedResponse(status: number): void {
    this.retriedResponses ??= new StatusCounts(this.scope, 'envoy_cluster_retry_upstream_rq', this.labels);
    this.retriedResponses.count(status);
  }

  /** The gauges of one priority's circuit breaker. */
  circuitBreaker(priority: RoutingPriority, tracksRemaining: boolean): CircuitBreakerGauges {
    const gauge = (name: string, help: string): Gauge =>
      this.scope.gauge(`envoy_cluster_circuit_breakers_${priority}_${name}`, help, this.labels);
    const remaining = (name: string, help: string): Gauge | null =>
      tracksRemaining ? gauge(name, help) : null;
    return {
      connectionsOpen: gauge('cx_open', 'Whether no more connections are made.'),
      pendingOpen: gauge('rq_pending_open', 'Whether no more requests may wait for a connection.'),
      requestsOpen: gauge('rq_open', 'Whether no more requests are sent.'),
      retriesOpen: gauge('rq_retry_open', 'Whether no more requests are tried again.'),
      remainingConnections: remaining('remaining_cx', 'Connections left to the limit.'),
      remainingPending: remaining('remaining_pending', 'Waiting requests left to the limit.'),
      remainingRequests: remaining('remaining_rq', 'Requests left to the limit.'),
      remainingRetries: remaining('remaining_retries', 'Retries left to the limit.'),
    };
  }

  /** Counts what goes on in connections of HTTP/2; series that a cluster without any doesn't have. */
  get http2(): Http2Metrics {
    this.http2Metrics ??= new Http2Metrics(this.scope, this.labels.envoy_cluster_name);
    return this.http2Metrics;
  }

  /** Counts gRPC calls by method. */
  get grpc(): CallMetrics {
    this.grpcCalls ??= new CallMetrics(this.scope, this.labels, 'grpc');
    return this.grpcCalls;
  }

  /** Counts calls that came as gRPC-Web by method. */
  get grpcWeb(): CallMetrics {
    this.grpcWebCalls ??= new CallMetrics(this.scope, this.labels, 'grpc_web');
    return this.grpcWebCalls;
  }

  /** Counts handshakes of the cluster's connections. */
  ofTls(): TlsMetrics {
    return new TlsMetrics(this.scope, { clusterName: this.labels.envoy_cluster_name });
  }

  /** Takes the cluster's series out of the registry. */
  close(): void {
    this.scope.close();
  }
}
