import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Http1ProtocolOptions, HttpProtocolOptions } from '@heddle/xds/api/envoy/config/core/v3/protocol.ts';
import { RouteAction_UpgradeConfig as UpgradeConfig } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { TypeUrl, packAny } from '@heddle/xds';
import { UnderscoreAction } from '../http1/server-settings.ts';
import { compileRouteUpgrades } from '../routing/compile-upgrades.ts';
import { ProblemList } from './problem-list.ts';
import { compileHttp1Options, compileHttpLimits } from './protocol-options.ts';

/** What `compile` gives, and what it says against it. */
function outcome<T>(compile: (problems: ProblemList) => T): { readonly value: T; readonly said: string[] } {
  const list = new ProblemList();
  const value = compile(list);
  return { value, said: list.problems.map(({ path, message }) => `${path}: ${message}`) };
}

const http1 = (options: Parameters<typeof Http1ProtocolOptions.fromPartial>[0]) =>
  outcome((problems) => compileHttp1Options(Http1ProtocolOptions.fromPartial(options), 'h', problems));
const common = (options: Parameters<typeof HttpProtocolOptions.fromPartial>[0]) =>
  outcome((problems) => compileHttpLimits(HttpProtocolOptions.fromPartial(options), 'c', problems));
const upgrades = (...configs: Parameters<typeof UpgradeConfig.fromPartial>[0][]) =>
  outcome((problems) => {
    const rules = compileRouteUpgrades(
      configs.map((config) => UpgradeConfig.fromPartial(config)),
      'u',
      problems,
    );
    return rules === null ? null : Object.fromEntries(rules);
  });

describe('options of HTTP/1.1', () => {
  test('have Envoy’s defaults', () => {
    assert.deepEqual(http1({}), {
      value: {
        acceptsHttp10: false,
        defaultHost: '',
        allowsAbsoluteTarget: true,
        allowsCustomMethods: false,
        allowsChunkedLength: false,
        takesTrailers: false,
      },
      said: [],
    });
  });

  test('are taken over', () => {
    const options = {
      acceptHttp10: true,
      defaultHostForHttp10: 'a:80',
      allowAbsoluteUrl: false,
      enableTrailers: true,
      allowCustomMethods: true,
      allowChunkedLength: true,
    };
    assert.deepEqual(http1(options), {
      value: {
        acceptsHttp10: true,
        defaultHost: 'a:80',
        allowsAbsoluteTarget: false,
        allowsCustomMethods: true,
        allowsChunkedLength: true,
        takesTrailers: true,
      },
      said: [],
    });
  });

  test('may ask for names that keep their case, as they do, and for no other form', () => {
    const preserving = (config: object) =>
      http1({
        headerKeyFormat: {
          headerFormat: {
            $case: 'statefulFormatter',
            value: { name: 'preserve_case', typedConfig: packAny(TypeUrl.preserveCase, config) },
          },
        },
      }).said;
    assert.deepEqual(preserving({}), []);
    assert.deepEqual(preserving({ forwardReasonPhrase: true }), []);
    const place = 'h.header_key_format.stateful_formatter.typed_config';
    assert.deepEqual(preserving({ formatterTypeOnEnvoyHeaders: 1 }), [
      `${place}.formatter_type_on_envoy_headers: is not supported yet`,
    ]);
    assert.deepEqual(
      http1({ headerKeyFormat: { headerFormat: { $case: 'properCaseWords', value: {} } } }).said,
      ['h.header_key_format.proper_case_words: is not supported yet'],
    );
    assert.deepEqual(
      http1({
        headerKeyFormat: { headerFormat: { $case: 'statefulFormatter', value: { name: 'other' } } },
      }).said,
      [`${place}: the extension other is not supported yet`],
    );
  });

  test('want a host for HTTP/1.0 that is one', () => {
    assert.deepEqual(http1({ defaultHostForHttp10: 'a b' }).said, [
      'h.default_host_for_http_10: "a b" is no host',
    ]);
  });
});

describe('options of all HTTP', () => {
  test('have Envoy’s defaults', () => {
    assert.deepEqual(common({}), {
      value: {
        idleTimeoutMs: 3_600_000,
        maxFields: 100,
        maxConnectionDurationMs: 0,
        maxStreamDurationMs: 0,
        maxRequests: 0,
        underscores: UnderscoreAction.allow,
      },
      said: [],
    });
  });

  test('are taken over', () => {
    const seconds = (count: number) => ({ seconds: count, nanos: 0 });
    assert.deepEqual(
      common({
        idleTimeout: seconds(1),
        maxHeadersCount: 2,
        maxConnectionDuration: seconds(3),
        maxStreamDuration: seconds(4),
        maxRequestsPerConnection: 5,
        headersWithUnderscoresAction: 2,
      }).value,
      {
        idleTimeoutMs: 1000,
        maxFields: 2,
        maxConnectionDurationMs: 3000,
        maxStreamDurationMs: 4000,
        maxRequests: 5,
        underscores: UnderscoreAction.drop,
      },
    );
    assert.equal(common({ headersWithUnderscoresAction: 1 }).value.underscores, UnderscoreAction.reject);
  });

  test('that no listener has are refused', () => {
    assert.deepEqual(common({ maxHeadersCount: 0, maxResponseHeadersKb: 1 }).said, [
      'c.max_response_headers_kb: is for clusters, not for listeners',
      'c.max_headers_count: must be 1 or more',
    ]);
  });
});

describe('upgrades of a route', () => {
  test('are forwarded, tunnelled or refused', () => {
    assert.deepEqual(upgrades().value, null);
    assert.deepEqual(
      upgrades(
        { upgradeType: 'WebSocket' },
        { upgradeType: 'foo', enabled: false },
        { upgradeType: 'CONNECT', connectConfig: {} },
      ).value,
      { websocket: 'forward', foo: 'refuse', connect: 'tunnel' },
    );
  });

  test('are named once, and connect_config is for CONNECT', () => {
    assert.deepEqual(
      upgrades(
        { upgradeType: 'websocket', connectConfig: {} },
        { upgradeType: 'WEBSOCKET' },
        { upgradeType: '' },
        { upgradeType: 'CONNECT', connectConfig: { allowPost: true } },
      ).said,
      [
        'u[0].connect_config: goes with the upgrade type CONNECT only',
        'u[1].upgrade_type: WEBSOCKET is in this list already',
        'u[2].upgrade_type: must not be empty',
        'u[3].connect_config.allow_post: is not supported yet',
      ],
    );
  });
});
