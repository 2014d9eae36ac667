import type { Counter, Gauge, MetricScope } from '@heddle/telemetry';

/**
 * The metrics of HTTP/2 under Envoy's names: of all listeners together (`http2.rx_reset`, in Prometheus's text
 * `envoy_http2_rx_reset`), or of one cluster (`cluster.<name>.http2.rx_reset`).
 */
export class Http2Metrics {
  readonly streamsActive: Gauge;
  /** Bytes of bodies that wait for a peer's window, or for a peer that does not read. */
  readonly pendingSendBytes: Gauge;
  /** Frames that have been handed to connections whose peers don't read. */
  readonly outboundFramesActive: Gauge;
  readonly outboundControlFramesActive: Gauge;
  readonly goawaySent: Counter;
  /** RST_STREAM received and sent. */
  readonly resetsReceived: Counter;
  readonly resetsSent: Counter;
  /** Streams that the peer refused. */
  readonly streamsRefused: Counter;
  /** Trailers received. */
  readonly trailers: Counter;
  /** Header lists over the limits. */
  readonly headerOverflow: Counter;
  /** Heads for streams that are not there any more. */
  readonly headersWithoutStream: Counter;
  /** What was no message of HTTP. */
  readonly messagingErrors: Counter;
  readonly underscoreFieldsDropped: Counter;
  readonly underscoreRequestsRejected: Counter;
  /** Streams whose peer did not take the rest of a message in time. */
  readonly flushTimeouts: Counter;
  readonly keepaliveTimeouts: Counter;
  /** Connections ended for what their peers sent, or did not read. */
  readonly inboundEmptyFramesFlood: Counter;
  readonly inboundPriorityFramesFlood: Counter;
  readonly inboundWindowUpdateFramesFlood: Counter;
  readonly outboundFlood: Counter;
  readonly outboundControlFlood: Counter;

  /** `clusterName` is null for listeners. The series live as long as `scope`. */
  constructor(scope: MetricScope, clusterName: string | null) {
    const prefix = clusterName === null ? 'envoy_http2_' : 'envoy_cluster_http2_';
    const labels = clusterName === null ? {} : { envoy_cluster_name: clusterName };
    const counter = (name: string, help: string): Counter => scope.counter(prefix + name, help, labels);
    const gauge = (name: string, help: string): Gauge => scope.gauge(prefix + name, help, labels);
    this.streamsActive = gauge('streams_active', 'Open streams of HTTP/2.');
    this.pendingSendBytes = gauge('pending_send_bytes', 'Bytes that wait for a window of HTTP/2.');
    this.outboundFramesActive = gauge('outbound_frames_active', 'Frames that a peer has not read.');
    this.outboundControlFramesActive = gauge(
      'outbound_control_frames_active',
      'PING, SETTINGS and RST_STREAM frames that a peer has not read.',
    );
    this.goawaySent = counter('goaway_sent', 'GOAWAY frames sent.');
    this.resetsReceived = counter('rx_reset', 'RST_STREAM frames received.');
    this.resetsSent = counter('tx_reset', 'RST_STREAM frames sent.');
    this.streamsRefused = counter('stream_refused_errors', 'Streams refused by the peer.');
    this.trailers = counter('trailers', 'Trailers received.');
    this.headerOverflow = counter('header_overflow', 'Header lists over the limits.');
    this.headersWithoutStream = counter('headers_cb_no_stream', 'Heads for streams that are gone.');
    this.messagingErrors = counter('rx_messaging_error', 'Messages that HTTP does not allow.');
    this.underscoreFieldsDropped = counter(
      'dropped_headers_with_underscores',
      'Fields dropped for an underscore in their name.',
    );
    this.underscoreRequestsRejected = counter(
      'requests_rejected_with_underscores_in_headers',
      'Requests refused for an underscore in the name of a field.',
    );
    this.flushTimeouts = counter('tx_flush_timeout', 'Streams whose peer did not take the rest in time.');
    this.keepaliveTimeouts = counter('keepalive_timeout', 'Connections whose peer did not answer a PING.');
    this.inboundEmptyFramesFlood = counter(
      'inbound_empty_frames_flood',
      'Connections ended for empty frames.',
    );
    this.inboundPriorityFramesFlood = counter(
      'inbound_priority_frames_flood',
      'Connections ended for PRIORITY frames.',
    );
    this.inboundWindowUpdateFramesFlood = counter(
      'inbound_window_update_frames_flood',
      'Connections ended for WINDOW_UPDATE frames.',
    );
    this.outboundFlood = counter('outbound_flood', 'Connections ended for frames that were not read.');
    this.outboundControlFlood = counter(
      'outbound_control_flood',
      'Connections ended for control frames that were not read.',
    );
  }
}
