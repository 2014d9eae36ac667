import type { Counter, Gauge, Histogram, MetricRegistry, MetricScope } from '@heddle/telemetry';

/**
 * A cluster's metrics under Envoy's names: `cluster.<name>.upstream_rq_total` is
 * `envoy_cluster_upstream_rq_total{envoy_cluster_name="<name>"}` in Prometheus's text, as Envoy itself writes it.
 */
export class ClusterMetrics {
  /** Connections begun. */
  readonly connectionsTotal: Counter;
  readonly connectionsActive: Gauge;
  readonly connectFailures: Counter;
  /** Connects that took too long; counted among the failures too. */
  readonly connectTimeouts: Counter;
  /** Connections not made because the circuit breaker was open. */
  readonly connectionOverflows: Counter;
  readonly bytesReceived: Counter;
  readonly bytesSent: Counter;
  readonly requestsTotal: Counter;
  readonly requestsActive: Gauge;
  /** Requests that wait for a connection. */
  readonly requestsPending: Gauge;
  readonly requestTimeouts: Counter;
  /** Requests that the upstream reset, or whose connection ended, before the response had. */
  readonly requestResets: Counter;
  /** Requests that found no endpoint. */
  readonly requestsWithoutEndpoint: Counter;
  /** By the status's first digit: index 2 counts 2xx. Indices 0 and 6 upwards don't exist. */
  readonly responsesByClass: readonly Counter[];
  /** From the request's last byte sent to the response's last byte received, in milliseconds. */
  readonly requestTimeMs: Histogram;
  readonly endpoints: Gauge;
  readonly endpointsHealthy: Gauge;
  private readonly scope: MetricScope;

  constructor(registry: MetricRegistry, clusterName: string) {
    const scope = registry.scope();
    const labels = { envoy_cluster_name: clusterName };
    const counter = (name: string, help: string): Counter =>
      scope.counter(`envoy_cluster_${name}`, help, labels);
    const gauge = (name: string, help: string): Gauge => scope.gauge(`envoy_cluster_${name}`, help, labels);
    this.scope = scope;
    this.connectionsTotal = counter('upstream_cx_total', 'Connections begun to the cluster.');
    this.connectionsActive = gauge('upstream_cx_active', 'Open connections to the cluster.');
    this.connectFailures = counter('upstream_cx_connect_fail', 'Connections that could not be made.');
    this.connectTimeouts = counter('upstream_cx_connect_timeout', 'Connections that took too long to make.');
    this.connectionOverflows = counter(
      'upstream_cx_overflow',
      'Connections that the circuit breaker refused.',
    );
    this.bytesReceived = counter('upstream_cx_rx_bytes_total', 'Bytes received from the cluster.');
    this.bytesSent = counter('upstream_cx_tx_bytes_total', 'Bytes sent to the cluster.');
    this.requestsTotal = counter('upstream_rq_total', 'Requests sent to the cluster.');
    this.requestsActive = gauge('upstream_rq_active', 'Requests in flight to the cluster.');
    this.requestsPending = gauge('upstream_rq_pending_active', 'Requests that wait for a connection.');
    this.requestTimeouts = counter('upstream_rq_timeout', 'Requests that got no response in time.');
    this.requestResets = counter('upstream_rq_rx_reset', 'Requests that the upstream reset.');
    this.requestsWithoutEndpoint = counter('upstream_cx_none_healthy', 'Requests that found no endpoint.');
    this.responsesByClass = [0, 1, 2, 3, 4, 5].map((digit) =>
      scope.counter('envoy_cluster_upstream_rq_xx', 'Responses by the first digit of their status.', {
        ...labels,
        envoy_response_code_class: String(digit),
      }),
    );
    this.requestTimeMs = scope.histogram(
      'envoy_cluster_upstream_rq_time',
      'Time of requests in milliseconds.',
      labels,
    );
    this.endpoints = gauge('membership_total', 'Endpoints of the cluster.');
    this.endpointsHealthy = gauge('membership_healthy', 'Endpoints of the cluster that may be picked.');
  }

  /** Takes the cluster's series out of the registry. */
  close(): void {
    this.scope.close();
  }
}
