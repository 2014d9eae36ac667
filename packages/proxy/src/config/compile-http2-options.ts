import type {
  Http2ProtocolOptions,
  KeepaliveSettings,
} from '@heddle/xds/api/envoy/config/core/v3/protocol.ts';
import type { Duration } from '@heddle/xds/api/google/protobuf/duration.ts';
import { maxUint31 } from '../http2/frame.ts';
import { type Http2Options, defaultHttp2Options } from '../http2/http2-options.ts';
import { durationMs } from './duration.ts';
import type { ProblemList } from './problem-list.ts';

const leastWindow = 65_535;
const maxUint32 = 0xffff_ffff;

/** What bears on HTTP/2 and stands elsewhere in the configuration of a listener or cluster. */
export interface Http2Surroundings extends Pick<
  Http2Options,
  'maxHeaderListBytes' | 'maxFields' | 'underscores' | 'flushTimeoutMs'
> {
  /** A listener's `stream_error_on_invalid_http_message` where it is set. */
  readonly resetsStreamOnInvalidMessage?: boolean | undefined;
}

type Keepalive = Pick<
  Http2Options,
  'keepaliveIntervalMs' | 'keepaliveTimeoutMs' | 'keepaliveJitterPercent' | 'keepaliveIdleIntervalMs'
>;

/**
 * Compiles the options of a listener's or a cluster's HTTP/2 codec. Accepted without effect: `use_oghttp2_codec`, which
 * chooses between Envoy's own.
 */
export function compileHttp2Options(
  options: Http2ProtocolOptions | undefined,
  surroundings: Http2Surroundings,
  path: string,
  problems: ProblemList,
): Http2Options {
  const number = (
    field: string,
    value: number | undefined,
    fallback: number,
    min: number,
    max: number,
  ): number => {
    if (value === undefined || (value >= min && value <= max)) return value ?? fallback;
    problems.invalid(`${path}.${field}`, `must be ${min} to ${max}`);
    return fallback;
  };
  const defaults = defaultHttp2Options;
  if (options?.allowMetadata === true) problems.unsupported(`${path}.allow_metadata`);
  if ((options?.customSettingsParameters ?? []).length > 0) {
    problems.unsupported(`${path}.custom_settings_parameters`);
  }
  return {
    ...surroundings,
    hpackTableSize: options?.hpackTableSize ?? defaults.hpackTableSize,
    maxConcurrentStreams: number(
      'max_concurrent_streams',
      options?.maxConcurrentStreams,
      defaults.maxConcurrentStreams,
      1,
      maxUint31,
    ),
    initialStreamWindowSize: number(
      'initial_stream_window_size',
      options?.initialStreamWindowSize,
      defaults.initialStreamWindowSize,
      leastWindow,
      maxUint31,
    ),
    initialConnectionWindowSize: number(
      'initial_connection_window_size',
      options?.initialConnectionWindowSize,
      defaults.initialConnectionWindowSize,
      leastWindow,
      maxUint31,
    ),
    allowConnect: options?.allowConnect ?? defaults.allowConnect,
    maxOutboundFrames: number(
      'max_outbound_frames',
      options?.maxOutboundFrames,
      defaults.maxOutboundFrames,
      1,
      maxUint32,
    ),
    maxOutboundControlFrames: number(
      'max_outbound_control_frames',
      options?.maxOutboundControlFrames,
      defaults.maxOutboundControlFrames,
      1,
      maxUint32,
    ),
    maxConsecutiveInboundFramesWithEmptyPayload:
      options?.maxConsecutiveInboundFramesWithEmptyPayload ??
      defaults.maxConsecutiveInboundFramesWithEmptyPayload,
    maxInboundPriorityFramesPerStream:
      options?.maxInboundPriorityFramesPerStream ?? defaults.maxInboundPriorityFramesPerStream,
    maxInboundWindowUpdateFramesPerDataFrameSent: number(
      'max_inbound_window_update_frames_per_data_frame_sent',
      options?.maxInboundWindowUpdateFramesPerDataFrameSent,
      defaults.maxInboundWindowUpdateFramesPerDataFrameSent,
      1,
      maxUint32,
    ),
    resetsStreamOnInvalidMessage:
      options?.overrideStreamErrorOnInvalidHttpMessage ??
      surroundings.resetsStreamOnInvalidMessage ??
      options?.streamErrorOnInvalidHttpMessaging ??
      false,
    ...compileKeepalive(options?.connectionKeepalive, `${path}.connection_keepalive`, problems),
  };
}

function compileKeepalive(
  settings: KeepaliveSettings | undefined,
  path: string,
  problems: ProblemList,
): Keepalive {
  const time = (field: string, duration: Duration | undefined): number => {
    const ms = durationMs(duration, 0, `${path}.${field}`, problems);
    if (duration !== undefined && ms < 1) problems.invalid(`${path}.${field}`, 'must be 1 ms or more');
    return ms;
  };
  if (settings !== undefined && settings.timeout === undefined) {
    problems.invalid(`${path}.timeout`, 'is required');
  }
  const jitter = settings?.intervalJitter?.value ?? defaultHttp2Options.keepaliveJitterPercent;
  if (!(jitter >= 0 && jitter <= 100)) problems.invalid(`${path}.interval_jitter`, 'must be 0 to 100');
  return {
    keepaliveIntervalMs: time('interval', settings?.interval),
    keepaliveTimeoutMs: time('timeout', settings?.timeout),
    keepaliveJitterPercent: jitter,
    keepaliveIdleIntervalMs: time('connection_idle_interval', settings?.connectionIdleInterval),
  };
}
