import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessLogEntry } from '@heddle/telemetry';
import { type DeepPartial, encodeMessage, type MessageOf, packAny, TypeUrl } from '@heddle/xds';
import { NumberFilter, SampleFilter } from '../access-log/access-log-filter.ts';
import { type CompiledListener, compileListener } from './compile-listener.ts';
import { ProblemList } from './problem-list.ts';
import { decodeResource } from './unpack-config.ts';
import { defaultServerSettings } from '../http1/server-settings.ts';
import { Http2ProtocolOptions } from '@heddle/xds/api/envoy/config/core/v3/protocol.ts';
import { defaultHttp2Options } from '../http2/http2-options.ts';

type ListenerInput = DeepPartial<MessageOf<typeof TypeUrl.listener>>;
type ManagerInput = DeepPartial<MessageOf<typeof TypeUrl.httpConnectionManager>>;

const router = {
  name: 'envoy.filters.http.router',
  configType: { $case: 'typedConfig', value: packAny(TypeUrl.router, { suppressEnvoyHeaders: true }) },
} as const;

const address = {
  address: {
    $case: 'socketAddress',
    value: { address: '127.0.0.1', portSpecifier: { $case: 'portValue', value: 80 } },
  },
} as const;

function filter(manager: ManagerInput) {
  return {
    name: 'hcm',
    configType: {
      $case: 'typedConfig',
      value: packAny(TypeUrl.httpConnectionManager, {
        statPrefix: 'in',
        httpFilters: [router],
        routeSpecifier: { $case: 'routeConfig', value: {} },
        ...manager,
      }),
    },
  } as const;
}

interface Outcome {
  readonly listener: CompiledListener | null;
  readonly problems: readonly string[];
}

function compile(manager: ManagerInput, changes: ListenerInput = {}): Outcome {
  const problems = new ProblemList();
  const bytes = encodeMessage(TypeUrl.listener, {
    name: 'l',
    address,
    filterChains: [{ filters: [filter(manager)] }],
    ...changes,
  });
  const message = decodeResource(TypeUrl.listener, bytes, problems);
  const listener = message === null ? null : compileListener(message, problems);
  return { listener, problems: problems.problems.map(({ path, message: text }) => `${path}: ${text}`) };
}

function httpOf(listener: CompiledListener | null) {
  const filter = listener?.filterChains[0]?.filter;
  return filter?.kind === 'http' ? filter.http : null;
}

test("has Envoy's defaults", () => {
  const { listener, problems } = compile({});
  assert.deepEqual(problems, []);
  assert.deepEqual(httpOf(listener), {
    statPrefix: 'in',
    serverName: 'envoy',
    serverHeader: 'overwrite',
    generateRequestId: true,
    preserveExternalRequestId: false,
    alwaysSetRequestIdInResponse: false,
    useRemoteAddress: false,
    xffNumTrustedHops: 0,
    skipXffAppend: false,
    appendXForwardedPort: false,
    internalRanges: [],
    clientCert: { mode: 'sanitize', subject: false, cert: false, chain: false, uri: false, dns: false },
    via: '',
    pathRules: null,
    hostRules: null,
    filters: [],
    grpcStats: null,
    suppressesEnvoyHeaders: true,
    bufferLimitBytes: 1024 * 1024,
    localReplies: null,
    streamIdleTimeoutMs: 300_000,
    maxStreamDurationMs: 0,
    drainTimeoutMs: 5000,
    upgrades: new Map(),
    codec: 'auto',
    http2: { ...defaultHttp2Options, resetsStreamOnInvalidMessage: false },
    server: defaultServerSettings,
    accessLogs: [],
  });
  assert.equal(listener?.direction, 'unspecified');
  assert.equal(listener.filterChains[0]?.tls, null);
});

test('takes what is configured', () => {
  const { listener, problems } = compile(
    {
      serverName: 'heddle',
      serverHeaderTransformation: 2,
      generateRequestId: false,
      useRemoteAddress: true,
      forwardClientCertDetails: 3,
      setCurrentClientCertDetails: { uri: true },
      streamIdleTimeout: { seconds: 0, nanos: 0 },
      requestHeadersTimeout: { seconds: 10, nanos: 0 },
      commonHttpProtocolOptions: { idleTimeout: { seconds: 60, nanos: 0 }, maxHeadersCount: 50 },
      maxRequestHeadersKb: 8,
      codecType: 1,
    },
    { trafficDirection: 1 },
  );
  assert.deepEqual(problems, []);
  assert.equal(listener?.direction, 'inbound');
  const http = httpOf(listener)!;
  assert.deepEqual(
    [http.serverName, http.serverHeader, http.generateRequestId, http.useRemoteAddress, http.clientCert.mode],
    ['heddle', 'pass-through', false, true, 'sanitize-set'],
  );
  assert.deepEqual(
    [http.streamIdleTimeoutMs, http.server.headTimeoutMs, http.server.idleTimeoutMs, http.server.maxFields],
    [0, 10_000, 60_000, 50],
  );
  assert.equal(http.server.maxHeadBytes, 8192);
});

test('what a manager says of HTTP/1.1, time and upgrades is taken over', () => {
  const { listener, problems } = compile({
    requestTimeout: { seconds: 1, nanos: 0 },
    delayedCloseTimeout: { seconds: 2, nanos: 0 },
    commonHttpProtocolOptions: { maxStreamDuration: { seconds: 3, nanos: 0 }, maxRequestsPerConnection: 4 },
    httpProtocolOptions: { acceptHttp10: true, enableTrailers: true },
    proxy100Continue: true,
    upgradeConfigs: [{ upgradeType: 'WebSocket' }, { upgradeType: 'CONNECT', enabled: false }],
  });
  assert.deepEqual(problems, []);
  const { server, maxStreamDurationMs, upgrades } = httpOf(listener)!;
  assert.deepEqual(server, {
    ...defaultServerSettings,
    requestTimeoutMs: 1000,
    delayedCloseTimeoutMs: 2000,
    maxRequests: 4,
    acceptsHttp10: true,
    takesTrailers: true,
    forwardsExpectation: true,
  });
  assert.equal(maxStreamDurationMs, 3000);
  assert.deepEqual(Object.fromEntries(upgrades), { websocket: 'forward', connect: 'refuse' });
});

const hcm = 'filter_chains[0].filters[0].typed_config';
const unsupported: readonly [string, ManagerInput][] = [
  [
    `${hcm}.upgrade_configs[0].filters`,
    { upgradeConfigs: [{ upgradeType: 'websocket', filters: [{ name: 'x' }] }] },
  ],
  [`${hcm}.codec_type`, { codecType: 3 }],
  [
    `${hcm}.http2_protocol_options.allow_metadata`,
    { http2ProtocolOptions: Http2ProtocolOptions.fromPartial({ allowMetadata: true }) },
  ],
];
for (const [path, manager] of unsupported) {
  test(`refuses ${path}`, () => {
    assert.deepEqual(compile(manager).problems, [`${path}: is not supported yet`]);
  });
}

test('accepts defaults that are written out', () => {
  const { problems } = compile({
    requestTimeout: { seconds: 0, nanos: 0 },
    normalizePath: false,
    httpProtocolOptions: { allowAbsoluteUrl: true },
    pathWithEscapedSlashesAction: 1,
    commonHttpProtocolOptions: { maxRequestsPerConnection: 0 },
  });
  assert.deepEqual(problems, []);
});

const invalid: readonly [string, ManagerInput, ListenerInput][] = [
  [`${hcm}.stat_prefix: must not be empty`, { statPrefix: '' }, {}],
  [`${hcm}.http_filters: must end with the router, once`, { httpFilters: [] }, {}],
  [`${hcm}.http_filters[0]: nothing can follow the router`, { httpFilters: [router, router] }, {}],
  [`${hcm}.max_request_headers_kb: must be 1 to 8192`, { maxRequestHeadersKb: 8193 }, {}],
  [`${hcm}.drain_timeout: a duration must not be negative`, { drainTimeout: { seconds: -1, nanos: 0 } }, {}],
  [
    `${hcm}.rds.config_source: needs ads`,
    { routeSpecifier: { $case: 'rds', value: { routeConfigName: 'r', configSource: {} } } },
    {},
  ],
  ['filter_chains: must not be empty', {}, { filterChains: [] }],
  ['address: needs a socket_address', {}, { address: {} }],
  [
    'address.socket_address.address: "localhost" is no IP address',
    {},
    {
      address: {
        address: {
          $case: 'socketAddress',
          value: { address: 'localhost', portSpecifier: { $case: 'portValue', value: 1 } },
        },
      },
    },
  ],
  [
    'filter_chains[1].filter_chain_match: matches connections that filter_chains[0] matches with the same conditions',
    {},
    { filterChains: [{ filters: [filter({})] }, { filters: [filter({})] }] },
  ],
  [
    'filter_chains[0].filter_chain_match.server_names[0]: "a*.b" is neither a name nor "*." with one behind it',
    {},
    { filterChains: [{ filters: [filter({})], filterChainMatch: { serverNames: ['a*.b'] } }] },
  ],
  [
    'filter_chains[0].filter_chain_match.prefix_ranges[0].prefix_len: must be 0 to 32',
    {},
    {
      filterChains: [
        {
          filters: [filter({})],
          filterChainMatch: { prefixRanges: [{ addressPrefix: '10.0.0.0', prefixLen: 33 }] },
        },
      ],
    },
  ],
  [
    'filter_chains[0].filter_chain_match.destination_port: must be 1 to 65535',
    {},
    { filterChains: [{ filters: [filter({})], filterChainMatch: { destinationPort: 0 } }] },
  ],
  [
    'default_filter_chain.filter_chain_match: the default chain takes whatever is left',
    {},
    { filterChains: [], defaultFilterChain: { filters: [filter({})], filterChainMatch: {} } },
  ],
];
for (const [problem, manager, changes] of invalid) {
  test(`refuses ${problem}`, () => assert.deepEqual(compile(manager, changes).problems, [problem]));
}

test('an unknown filter is refused by its type, unless it is optional', () => {
  const unknown = {
    name: 'envoy.filters.http.lua',
    configType: {
      $case: 'typedConfig',
      value: {
        typeUrl: 'type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua',
        value: new Uint8Array(0),
      },
    },
  } as const;
  assert.match(
    compile({ httpFilters: [unknown, router] }).problems.join('\n'),
    /http_filters\[0\]\.typed_config: .*envoy\.extensions\.filters\.http\.lua\.v3\.Lua.*not supported/,
  );
  assert.deepEqual(compile({ httpFilters: [{ ...unknown, isOptional: true }, router] }).problems, []);
});

const entry = { responseCode: 200, protocol: 'HTTP/1.1', startTimeMs: 0 } as AccessLogEntry;

test('access logs are compiled with path, format and filter', () => {
  const log = (config: DeepPartial<MessageOf<typeof TypeUrl.fileAccessLog>>) =>
    ({ $case: 'typedConfig', value: packAny(TypeUrl.fileAccessLog, config) }) as const;
  const { listener, problems } = compile({
    accessLog: [
      {
        name: 'envoy.access_loggers.file',
        configType: log({
          path: 'access.log',
          accessLogFormat: {
            $case: 'logFormat',
            value: {
              format: {
                $case: 'textFormatSource',
                value: { specifier: { $case: 'inlineString', value: '%RESPONSE_CODE%\n' } },
              },
            },
          },
        }),
        filter: {
          filterSpecifier: {
            $case: 'runtimeFilter',
            value: { runtimeKey: 'log', percentSampled: { numerator: 1, denominator: 0 } },
          },
        },
      },
      {
        name: 'envoy.access_loggers.stdout',
        configType: {
          $case: 'typedConfig',
          value: packAny(TypeUrl.stdoutAccessLog, {
            accessLogFormat: {
              $case: 'logFormat',
              value: {
                format: { $case: 'jsonFormat', value: { code: '%RESPONSE_CODE%', of: ['%PROTOCOL%'] } },
              },
            },
          }),
        },
        filter: {
          filterSpecifier: {
            $case: 'statusCodeFilter',
            value: { comparison: { op: 1, value: { defaultValue: 500, runtimeKey: 'x' } } },
          },
        },
      },
    ],
  });
  assert.deepEqual(problems, []);
  const [file, stdout] = httpOf(listener)!.accessLogs;
  assert.equal(file?.path, 'access.log');
  assert.equal(file.format(entry), '200\n');
  assert.deepEqual(file.filter, new SampleFilter(1, 100, false));
  assert.equal(stdout?.path, '/dev/stdout');
  assert.equal(stdout.format(entry), '{"code":200,"of":["HTTP/1.1"]}\n');
  assert.deepEqual(stdout.filter, new NumberFilter('status', 'at-least', 500));
});

test('an operator that does not exist is refused where it stands', () => {
  const { problems } = compile({
    accessLog: [
      {
        name: 'x',
        configType: {
          $case: 'typedConfig',
          value: packAny(TypeUrl.stderrAccessLog, {
            accessLogFormat: {
              $case: 'logFormat',
              value: { format: { $case: 'textFormat', value: '%NO_SUCH%' } },
            },
          }),
        },
      },
    ],
  });
  assert.deepEqual(problems, [
    `${hcm}.access_log[0].typed_config.log_format.text_format: the format operator %NO_SUCH% is not supported`,
  ]);
});

test('binds to Unix sockets, with their permissions', () => {
  const at = (path: string, mode = 0): ListenerInput => ({
    address: { address: { $case: 'pipe', value: { path, mode } } },
  });
  assert.deepEqual(compile({}, at('/run/a', 0o600)).listener?.address, {
    host: '/run/a',
    port: 0,
    mode: 0o600,
  });
  assert.deepEqual(compile({}, at('@a')).listener?.address, { host: '\0a', port: 0 });
  assert.equal(compile({}, { ...at('/run/a'), name: '' }).listener?.name, '/run/a');
  assert.match(compile({}, at('run/a')).problems.join(), /^address\.pipe\.path: .*must begin with \/ or @/);
  assert.match(compile({}, at('/run/a', 0o1000)).problems.join(), /^address\.pipe\.mode: /);
});

test("takes its callers' addresses for connections to upstreams where original_src says so, but not their ports", () => {
  const filters = (bindPort: boolean): ListenerInput => ({
    transparent: true,
    listenerFilters: [
      {
        name: 'source',
        configType: { $case: 'typedConfig', value: packAny(TypeUrl.originalSrc, { bindPort, mark: 7 }) },
      },
    ],
  });
  const { listener, problems } = compile({}, filters(false));
  assert.deepEqual(problems, []);
  assert.equal(listener?.isTransparent, true);
  assert.deepEqual(listener.listenerFilters.filters, [{ kind: 'original-src', mark: 7 }]);
  assert.match(
    compile({}, filters(true)).problems.join(),
    /^listener_filters\[0\]\.typed_config\.bind_port: /,
  );
});
