import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DeepPartial, type MessageOf, TypeUrl, packAny } from '@heddle/xds';
import { Cluster } from '@heddle/xds/api/envoy/config/cluster/v3/cluster.ts';
import type { ConnectionLimits } from '../cluster/connection-pool.ts';
import { defaultClientSettings } from '../http1/client-connection.ts';
import { defaultHttp2Options } from '../http2/http2-options.ts';
import { compileConnectionLimits } from './compile-upstream-http.ts';
import { ProblemList } from './problem-list.ts';

type Changes = DeepPartial<MessageOf<typeof TypeUrl.cluster>>;
type Options = Parameters<typeof packAny<typeof TypeUrl.upstreamHttpProtocolOptions>>[1];

const key = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const path = `typed_extension_protocol_options[${key}]`;

function compile(changes: Changes): { readonly value: ConnectionLimits; readonly said: string[] } {
  const list = new ProblemList();
  const value = compileConnectionLimits(Cluster.fromPartial(changes), list);
  return { value, said: list.problems.map((problem) => `${problem.path}: ${problem.message}`) };
}

const extension = (options: Options): Changes => ({
  typedExtensionProtocolOptions: { [key]: packAny(TypeUrl.upstreamHttpProtocolOptions, options) },
});
const oneStream = { maxConcurrentStreams: 1 };
const wrong = { maxConcurrentStreams: 0 };

describe('what a cluster speaks', () => {
  test('is HTTP/1.1 where nothing is said', () => {
    const { value, said } = compile({});
    assert.deepEqual(said, []);
    assert.equal(value.protocol, 'http1');
    assert.deepEqual(value.responses, defaultClientSettings);
  });

  const choices: readonly [string, ConnectionLimits['protocol'], Options['upstreamProtocolOptions']][] = [
    [
      'explicit_http_config',
      'http2',
      {
        $case: 'explicitHttpConfig',
        value: { protocolConfig: { $case: 'http2ProtocolOptions', value: oneStream } },
      },
    ],
    ['auto_config', 'auto', { $case: 'autoConfig', value: { http2ProtocolOptions: oneStream } }],
    [
      'use_downstream_protocol_config',
      'downstream',
      { $case: 'useDownstreamProtocolConfig', value: { http2ProtocolOptions: oneStream } },
    ],
  ];
  for (const [field, protocol, upstreamProtocolOptions] of choices) {
    test(`is ${protocol} by ${field}, with its options`, () => {
      const { value, said } = compile(extension({ upstreamProtocolOptions }));
      assert.deepEqual(said, []);
      assert.deepEqual([value.protocol, value.http2.maxConcurrentStreams], [protocol, 1]);
    });
  }

  test('is HTTP/1.1 by name, with its options', () => {
    const value = {
      protocolConfig: { $case: 'httpProtocolOptions', value: { enableTrailers: true } },
    } as const;
    const compiled = compile(extension({ upstreamProtocolOptions: { $case: 'explicitHttpConfig', value } }));
    assert.deepEqual(compiled.said, []);
    assert.deepEqual([compiled.value.protocol, compiled.value.responses.takesTrailers], ['http1', true]);
  });

  test('is said by the older fields of the cluster, too', () => {
    assert.equal(compile({ http2ProtocolOptions: {} }).value.protocol, 'http2');
    const chosen = compile({
      httpProtocolOptions: {},
      http2ProtocolOptions: oneStream,
      protocolSelection: 1,
    });
    assert.deepEqual(chosen.said, []);
    assert.deepEqual([chosen.value.protocol, chosen.value.http2.maxConcurrentStreams], ['downstream', 1]);
    const common = { idleTimeout: { seconds: 2, nanos: 0 } };
    assert.equal(compile({ commonHttpProtocolOptions: common }).value.idleTimeoutMs, 2000);
  });

  test('is said by the extension where both do', () => {
    const { value, said } = compile({
      http2ProtocolOptions: wrong,
      ...extension({ upstreamProtocolOptions: { $case: 'autoConfig', value: {} } }),
    });
    assert.deepEqual(said, []);
    assert.equal(value.protocol, 'auto');
  });

  const refusals: readonly [string, Changes][] = [
    [
      `${path}.auto_config.http2_protocol_options.max_concurrent_streams: must be 1 to 2147483647`,
      extension({
        upstreamProtocolOptions: { $case: 'autoConfig', value: { http2ProtocolOptions: wrong } },
      }),
    ],
    [
      `${path}.explicit_http_config: needs one of http_protocol_options, http2_protocol_options`,
      extension({ upstreamProtocolOptions: { $case: 'explicitHttpConfig', value: {} } }),
    ],
    [
      'http2_protocol_options: does not go with http_protocol_options unless protocol_selection is USE_DOWNSTREAM_PROTOCOL',
      { httpProtocolOptions: {}, http2ProtocolOptions: {} },
    ],
    [
      `${path}.common_http_protocol_options.max_stream_duration: is not supported yet`,
      extension({ commonHttpProtocolOptions: { maxStreamDuration: { seconds: 1, nanos: 0 } } }),
    ],
  ];
  for (const [problem, changes] of refusals) {
    test(`is refused: ${problem}`, () => assert.deepEqual(compile(changes).said, [problem]));
  }
});

test('reads when connections end, and how large heads may be', () => {
  const { value, said } = compile({
    connectTimeout: { seconds: 1, nanos: 0 },
    upstreamConnectionOptions: { tcpKeepalive: { keepaliveTime: 7 }, happyEyeballsConfig: {} },
    ...extension({
      commonHttpProtocolOptions: {
        idleTimeout: { seconds: 2, nanos: 0 },
        maxConnectionDuration: { seconds: 3, nanos: 0 },
        maxRequestsPerConnection: 4,
        maxHeadersCount: 5,
        maxResponseHeadersKb: 6,
      },
    }),
  });
  assert.deepEqual(said, []);
  assert.deepEqual(value, {
    connectTimeoutMs: 1000,
    keepAliveMs: 7000,
    idleTimeoutMs: 2000,
    maxDurationMs: 3000,
    maxRequests: 4,
    protocol: 'http1',
    responses: { ...defaultClientSettings, maxFields: 5, maxHeadBytes: 6144 },
    http2: {
      ...defaultHttp2Options,
      resetsStreamOnInvalidMessage: false,
      flushTimeoutMs: 0,
      maxFields: 5,
      maxHeaderListBytes: 6144,
    },
  });
});
