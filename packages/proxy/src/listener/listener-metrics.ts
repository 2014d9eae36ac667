import type { Counter, Gauge, Histogram, MetricScope } from '@heddle/telemetry';

/** A listener's counts under Envoy's names: `listener.<address>.downstream_cx_total` and so on. */
export class ListenerMetrics {
  readonly connectionsTotal: Counter;
  readonly connectionsActive: Gauge;
  readonly connectionsDestroyed: Counter;
  readonly connectionLengthMs: Histogram;
  /** Connections for which there was no filter chain. */
  readonly withoutChain: Counter;
  /** Connections whose filter chain is not chosen yet. */
  readonly inspecting: Gauge;
  readonly inspectionTimeouts: Counter;
  /** Connections whose TLS handshake took too long. */
  readonly handshakeTimeouts: Counter;
  /** Connections whose client was gone before its filter chain was chosen. */
  readonly closedByClient: Counter;

  /** `address` as Envoy writes it in names: `127.0.0.1_80`, or the listener's `stat_prefix`. */
  constructor(scope: MetricScope, address: string) {
    const labels = { envoy_listener_address: address };
    const counter = (name: string, help: string): Counter =>
      scope.counter(`envoy_listener_${name}`, help, labels);
    this.connectionsTotal = counter('downstream_cx_total', 'Connections taken.');
    this.connectionsActive = scope.gauge('envoy_listener_downstream_cx_active', 'Open connections.', labels);
    this.connectionsDestroyed = counter('downstream_cx_destroy', 'Connections that are over.');
    this.connectionLengthMs = scope.histogram(
      'envoy_listener_downstream_cx_length_ms',
      'How long connections lasted, in milliseconds.',
      labels,
    );
    this.withoutChain = counter('no_filter_chain_match', 'Connections for which there was no filter chain.');
    this.inspecting = scope.gauge(
      'envoy_listener_downstream_pre_cx_active',
      'Connections whose filter chain is not chosen yet.',
      labels,
    );
    this.inspectionTimeouts = counter(
      'downstream_pre_cx_timeout',
      'Connections that did not show in time what they are.',
    );
    this.handshakeTimeouts = counter(
      'downstream_cx_transport_socket_connect_timeout',
      'Connections whose TLS handshake took too long.',
    );
    this.closedByClient = counter(
      'downstream_listener_filter_remote_close',
      'Connections whose client was gone before their filter chain was chosen.',
    );
  }

  onOpened(): void {
    this.connectionsTotal.value++;
    this.connectionsActive.value++;
  }

  onClosed(lengthMs: number): void {
    this.connectionsActive.value--;
    this.connectionsDestroyed.value++;
    this.connectionLengthMs.observe(lengthMs);
  }
}
