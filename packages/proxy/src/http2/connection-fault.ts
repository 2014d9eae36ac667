import { ErrorCode } from './error-code.ts';

/** Why this side ends a connection: what goes into GOAWAY, and into logs and details. */
export interface ConnectionFault {
  /** One of `ErrorCode`. */
  readonly code: number;
  /** Envoy's word where it has one. */
  readonly detail: string;
}

function fault(code: number, detail: string): ConnectionFault {
  return Object.freeze({ code, detail });
}

const { protocolError, enhanceYourCalm, flowControlError, frameSizeError } = ErrorCode;

/** What peers do that no connection survives (RFC 9113 §5.4.1). */
export const Faults = {
  badPreface: fault(protocolError, 'http2.bad_preface'),
  settingsExpected: fault(protocolError, 'http2.settings_expected'),
  frameTooLarge: fault(frameSizeError, 'http2.frame_too_large'),
  badFrameSize: fault(frameSizeError, 'http2.bad_frame_size'),
  badPadding: fault(protocolError, 'http2.bad_padding'),
  badStreamId: fault(protocolError, 'http2.bad_stream_id'),
  idleStream: fault(protocolError, 'http2.frame_on_idle_stream'),
  closedStream: fault(ErrorCode.streamClosed, 'http2.frame_on_closed_stream'),
  pushPromise: fault(protocolError, 'http2.push_promise'),
  badSetting: fault(protocolError, 'http2.bad_setting'),
  badWindowSetting: fault(flowControlError, 'http2.bad_window_setting'),
  unexpectedAcknowledgement: fault(protocolError, 'http2.unexpected_settings_ack'),
  windowOverflow: fault(flowControlError, 'http2.window_overflow'),
  windowExceeded: fault(flowControlError, 'http2.window_exceeded'),
  zeroIncrement: fault(protocolError, 'http2.zero_window_increment'),
  continuationExpected: fault(protocolError, 'http2.continuation_expected'),
  continuationUnexpected: fault(protocolError, 'http2.continuation_unexpected'),
  dependsOnItself: fault(protocolError, 'http2.stream_depends_on_itself'),
  compression: fault(ErrorCode.compressionError, 'http2.header_compression'),
  invalidMessage: fault(protocolError, 'http2.violation.of.messaging.rule'),
  headerBlockTooLarge: fault(enhanceYourCalm, 'http2.header_block_too_large'),
  tooManyContinuations: fault(enhanceYourCalm, 'http2.too_many_continuations'),
  tooManySettings: fault(enhanceYourCalm, 'http2.too_many_settings'),
  emptyFrames: fault(enhanceYourCalm, 'http2.inbound_empty_frames_flood'),
  priorityFlood: fault(enhanceYourCalm, 'http2.inbound_priority_frames_flood'),
  windowUpdateFlood: fault(enhanceYourCalm, 'http2.inbound_window_update_frames_flood'),
  outboundFlood: fault(enhanceYourCalm, 'http2.outbound_frames_flood'),
  outboundControlFlood: fault(enhanceYourCalm, 'http2.outbound_control_frames_flood'),
  prematureResets: fault(enhanceYourCalm, 'too_many_premature_resets'),
  keepaliveTimeout: fault(ErrorCode.noError, 'http2.ping_timeout'),
} as const;
