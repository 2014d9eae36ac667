import type { Counter, MetricScope } from '@heddle/telemetry';

/** A TCP proxy's counts under Envoy's names: `tcp.<stat_prefix>.downstream_cx_total` and so on. */
export class TcpMetrics {
  readonly connectionsTotal: Counter;
  /** Connections whose cluster does not exist. */
  readonly connectionsWithoutRoute: Counter;
  /** Bytes from the clients. */
  readonly bytesReceived: Counter;
  /** Bytes to the clients. */
  readonly bytesSent: Counter;
  /** How often a client was not read from because the upstream took no more. */
  readonly readsPaused: Counter;
  readonly readsResumed: Counter;
  readonly idleTimeouts: Counter;
  readonly durationTimeouts: Counter;
  /** Connections whose first bytes came before the upstream was connected. */
  readonly earlyData: Counter;

  constructor(scope: MetricScope, statPrefix: string) {
    const labels = { envoy_tcp_prefix: statPrefix };
    const counter = (name: string, help: string): Counter => scope.counter(`envoy_tcp_${name}`, help, labels);
    this.connectionsTotal = counter('downstream_cx_total', 'Connections taken.');
    this.connectionsWithoutRoute = counter(
      'downstream_cx_no_route',
      'Connections whose cluster does not exist.',
    );
    this.bytesReceived = counter('downstream_cx_rx_bytes_total', 'Bytes received from clients.');
    this.bytesSent = counter('downstream_cx_tx_bytes_total', 'Bytes sent to clients.');
    this.readsPaused = counter(
      'downstream_flow_control_paused_reading_total',
      'How often a client had to wait for its upstream.',
    );
    this.readsResumed = counter(
      'downstream_flow_control_resumed_reading_total',
      'How often a client could go on after it had to wait for its upstream.',
    );
    this.idleTimeouts = counter('idle_timeout', 'Connections closed because nothing came for too long.');
    this.durationTimeouts = counter(
      'max_downstream_connection_duration',
      'Connections closed because they had lasted too long.',
    );
    this.earlyData = counter(
      'early_data_received_count_total',
      'Connections that sent bytes before their upstream was connected.',
    );
  }
}
