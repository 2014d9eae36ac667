import { UnderscoreAction } from '../http1/server-settings.ts';

/** How HTTP/2 is spoken: Envoy's `Http2ProtocolOptions` and what else of Envoy's configuration bears on it. */
export interface Http2Options {
  /** `hpack_table_size`: the table that a peer may make use of, and the largest that we make of the peer's; bytes. */
  readonly hpackTableSize: number;
  /** `max_concurrent_streams`: that the peer may have open; as a client, that we have open at most. */
  readonly maxConcurrentStreams: number;
  /** `initial_stream_window_size` in bytes. */
  readonly initialStreamWindowSize: number;
  /** `initial_connection_window_size` in bytes: what a connection's peer can make us hold. */
  readonly initialConnectionWindowSize: number;
  /** `allow_connect`: a server announces extended CONNECT (RFC 8441) and takes it. */
  readonly allowConnect: boolean;
  /** `max_outbound_frames` that may wait for a peer that does not read. */
  readonly maxOutboundFrames: number;
  /** `max_outbound_control_frames`: of these PING, SETTINGS and RST_STREAM. */
  readonly maxOutboundControlFrames: number;
  /** `max_consecutive_inbound_frames_with_empty_payload`: HEADERS, CONTINUATION and DATA that neither carry anything nor end the stream. */
  readonly maxConsecutiveInboundFramesWithEmptyPayload: number;
  /** `max_inbound_priority_frames_per_stream`. */
  readonly maxInboundPriorityFramesPerStream: number;
  /** `max_inbound_window_update_frames_per_data_frame_sent`. */
  readonly maxInboundWindowUpdateFramesPerDataFrameSent: number;
  /**
   * `override_stream_error_on_invalid_http_message`: what is no HTTP message costs its stream (RFC 9113 §8.1.1), otherwise
   * the connection.
   */
  readonly resetsStreamOnInvalidMessage: boolean;
  /** `max_request_headers_kb` or `max_response_headers_kb` in bytes, counted as RFC 9113 §6.5.2 does. */
  readonly maxHeaderListBytes: number;
  /** `max_headers_count`. */
  readonly maxFields: number;
  /** `headers_with_underscores_action`: one of `UnderscoreAction`, for what servers are sent. */
  readonly underscores: number;
  /** `connection_keepalive.interval`: PING every so often; 0 for none. Milliseconds. */
  readonly keepaliveIntervalMs: number;
  /** `connection_keepalive.timeout`: for the answer to a PING, milliseconds. */
  readonly keepaliveTimeoutMs: number;
  /** `connection_keepalive.interval_jitter`: percent of the interval that chance adds. */
  readonly keepaliveJitterPercent: number;
  /** `connection_keepalive.connection_idle_interval`: a new stream on a connection silent for so long brings a PING; 0 for none. */
  readonly keepaliveIdleIntervalMs: number;
  /** `stream_flush_timeout` (Envoy: the idle timeout of streams): for a peer to take the rest of a complete message; 0 for none. */
  readonly flushTimeoutMs: number;
}

/** Envoy's defaults. */
export const defaultHttp2Options: Http2Options = {
  hpackTableSize: 4096,
  maxConcurrentStreams: 1024,
  initialStreamWindowSize: 16 * 1024 * 1024,
  initialConnectionWindowSize: 24 * 1024 * 1024,
  allowConnect: false,
  maxOutboundFrames: 10_000,
  maxOutboundControlFrames: 1000,
  maxConsecutiveInboundFramesWithEmptyPayload: 1,
  maxInboundPriorityFramesPerStream: 100,
  maxInboundWindowUpdateFramesPerDataFrameSent: 10,
  resetsStreamOnInvalidMessage: true,
  maxHeaderListBytes: 60 * 1024,
  maxFields: 100,
  underscores: UnderscoreAction.allow,
  keepaliveIntervalMs: 0,
  keepaliveTimeoutMs: 0,
  keepaliveJitterPercent: 15,
  keepaliveIdleIntervalMs: 0,
  flushTimeoutMs: 300_000,
};
