import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Http2ProtocolOptions } from '@heddle/xds/api/envoy/config/core/v3/protocol.ts';
import { type Http2Options, defaultHttp2Options } from '../http2/http2-options.ts';
import { UnderscoreAction } from '../http1/server-settings.ts';
import { compileHttp2Options } from './compile-http2-options.ts';
import { ProblemList } from './problem-list.ts';

const surroundings = {
  maxHeaderListBytes: 1024,
  maxFields: 7,
  underscores: UnderscoreAction.allow,
  flushTimeoutMs: 0,
};

function compile(
  options: Parameters<typeof Http2ProtocolOptions.fromPartial>[0],
  listenerResets?: boolean,
): { readonly value: Http2Options; readonly said: string[] } {
  const list = new ProblemList();
  const value = compileHttp2Options(
    Http2ProtocolOptions.fromPartial(options),
    { ...surroundings, resetsStreamOnInvalidMessage: listenerResets },
    'h',
    list,
  );
  return { value, said: list.problems.map(({ path, message }) => `${path}: ${message}`) };
}

const second = { seconds: 1, nanos: 0 };

describe('options of HTTP/2', () => {
  test('have Envoy’s defaults', () => {
    assert.deepEqual(compile({}), {
      value: { ...defaultHttp2Options, ...surroundings, resetsStreamOnInvalidMessage: false },
      said: [],
    });
  });

  test('are taken over', () => {
    const options = {
      hpackTableSize: 0,
      maxConcurrentStreams: 1,
      initialStreamWindowSize: 65_535,
      initialConnectionWindowSize: 0x7fff_ffff,
      allowConnect: true,
      maxOutboundFrames: 2,
      maxOutboundControlFrames: 3,
      maxConsecutiveInboundFramesWithEmptyPayload: 0,
      maxInboundPriorityFramesPerStream: 4,
      maxInboundWindowUpdateFramesPerDataFrameSent: 5,
    };
    const { value, said } = compile({
      ...options,
      useOghttp2Codec: true,
      connectionKeepalive: {
        interval: second,
        timeout: { seconds: 2, nanos: 0 },
        intervalJitter: { value: 0 },
        connectionIdleInterval: { seconds: 3, nanos: 0 },
      },
    });
    assert.deepEqual(said, []);
    assert.deepEqual(value, {
      ...surroundings,
      ...options,
      resetsStreamOnInvalidMessage: false,
      keepaliveIntervalMs: 1000,
      keepaliveTimeoutMs: 2000,
      keepaliveJitterPercent: 0,
      keepaliveIdleIntervalMs: 3000,
    });
  });

  test('say by the most specific field what becomes of an invalid message', () => {
    const resets = (...args: Parameters<typeof compile>): boolean =>
      compile(...args).value.resetsStreamOnInvalidMessage;
    assert.equal(resets({ streamErrorOnInvalidHttpMessaging: true }), true);
    assert.equal(resets({ streamErrorOnInvalidHttpMessaging: true }, false), false);
    assert.equal(resets({ overrideStreamErrorOnInvalidHttpMessage: true }, false), true);
  });

  const refusals: readonly [string, Parameters<typeof compile>[0]][] = [
    ['h.max_concurrent_streams: must be 1 to 2147483647', { maxConcurrentStreams: 0 }],
    ['h.initial_stream_window_size: must be 65535 to 2147483647', { initialStreamWindowSize: 65_534 }],
    [
      'h.initial_connection_window_size: must be 65535 to 2147483647',
      { initialConnectionWindowSize: 0x8000_0000 },
    ],
    ['h.max_outbound_frames: must be 1 to 4294967295', { maxOutboundFrames: 0 }],
    ['h.max_outbound_control_frames: must be 1 to 4294967295', { maxOutboundControlFrames: 0 }],
    [
      'h.max_inbound_window_update_frames_per_data_frame_sent: must be 1 to 4294967295',
      { maxInboundWindowUpdateFramesPerDataFrameSent: 0 },
    ],
    ['h.allow_metadata: is not supported yet', { allowMetadata: true }],
    ['h.custom_settings_parameters: is not supported yet', { customSettingsParameters: [{ value: 1 }] }],
    ['h.connection_keepalive.timeout: is required', { connectionKeepalive: { interval: second } }],
    [
      'h.connection_keepalive.interval: must be 1 ms or more',
      { connectionKeepalive: { timeout: second, interval: { seconds: 0, nanos: 999_999 } } },
    ],
    [
      'h.connection_keepalive.interval_jitter: must be 0 to 100',
      { connectionKeepalive: { timeout: second, intervalJitter: { value: 101 } } },
    ],
  ];
  for (const [problem, options] of refusals) {
    test(`are refused: ${problem}`, () => assert.deepEqual(compile(options).said, [problem]));
  }
});
