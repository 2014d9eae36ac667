import type { RouteConfiguration } from '@heddle/xds/api/envoy/config/route/v3/route.ts';
import {
  type HttpConnectionManager,
  HttpConnectionManager_CodecType as CodecType,
  HttpConnectionManager_ServerHeaderTransformation as ServerHeader,
} from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { defaultServerSettings } from '../http1/server-settings.ts';
import { upgradeName } from '../routing/compile-upgrades.ts';
import type { UpgradeRules } from '../routing/route-match.ts';
import { compileAccessLogs } from './compile-access-log.ts';
import { compileLocalReplies } from './compile-local-replies.ts';
import type { KeyFragment } from '../routing/scope-key.ts';
import { compileScopedRoutes } from './compile-scoped-routes.ts';
import { checkConfigSource } from './config-source.ts';
import { compileHttpFilters } from './compile-http-filters.ts';
import { compileHttp2Options } from './compile-http2-options.ts';
import { durationMs } from './duration.ts';
import type { HttpConfig } from './listener-config.ts';
import type { ProblemList } from './problem-list.ts';
import { compileHttp1Options, compileHttpLimits } from './protocol-options.ts';
import { clientCert, headerValue, hostRules, internalRanges, pathRules } from './compile-request-rules.ts';

/** Where a listener's routes come from. */
export type RouteSource =
  | { readonly kind: 'inline'; readonly config: RouteConfiguration; readonly path: string }
  /** By RDS, under this name. */
  | { readonly kind: 'rds'; readonly name: string }
  /** One of several, by fields of the request. */
  | {
      readonly kind: 'scoped';
      readonly name: string;
      readonly fragments: readonly KeyFragment[];
      readonly scopes: readonly RouteScope[];
    };

/** One of several route configurations. */
export interface RouteScope {
  /** As `scopeKey` writes it. */
  readonly key: string;
  readonly source: Exclude<RouteSource, { readonly kind: 'scoped' }>;
}

/** An HTTP connection manager as its filter describes it. */
export interface CompiledHttp {
  readonly http: HttpConfig;
  /** Null with a problem noted. */
  readonly routes: RouteSource | null;
}

/** Envoy's defaults. */
const defaultServerName = 'envoy';
const defaultStreamIdleTimeoutMs = 300_000;
const defaultDrainTimeoutMs = 5000;
const defaultMaxRequestHeadersKb = 60;
const maxRequestHeadersKb = 8192;
export const defaultBufferLimitBytes = 1024 * 1024;

/** Compiles an HTTP connection manager that stands at `path`, in a listener with this `per_connection_buffer_limit_bytes`. */
export function compileHttp(
  manager: HttpConnectionManager,
  path: string,
  problems: ProblemList,
  bufferLimitBytes = defaultBufferLimitBytes,
): CompiledHttp {
  if (manager.statPrefix === '') problems.invalid(`${path}.stat_prefix`, 'must not be empty');
  const { maxStreamDurationMs, ...limits } = compileHttpLimits(
    manager.commonHttpProtocolOptions,
    `${path}.common_http_protocol_options`,
    problems,
  );
  const headersKb = manager.maxRequestHeadersKb ?? defaultMaxRequestHeadersKb;
  if (headersKb < 1 || headersKb > maxRequestHeadersKb) {
    problems.invalid(`${path}.max_request_headers_kb`, `must be 1 to ${maxRequestHeadersKb}`);
  }
  const time = (field: string, duration: HttpConnectionManager['drainTimeout'], fallbackMs: number): number =>
    durationMs(duration, fallbackMs, `${path}.${field}`, problems);
  const { filters, grpcStats, router } = compileHttpFilters(
    manager.httpFilters,
    `${path}.http_filters`,
    problems,
  );
  const streamIdleTimeoutMs = time(
    'stream_idle_timeout',
    manager.streamIdleTimeout,
    defaultStreamIdleTimeoutMs,
  );
  const http: HttpConfig = {
    statPrefix: manager.statPrefix,
    serverName: headerValue(manager.serverName, `${path}.server_name`, problems) || defaultServerName,
    serverHeader: serverHeader(manager, path, problems),
    generateRequestId: manager.generateRequestId ?? true,
    preserveExternalRequestId: manager.preserveExternalRequestId,
    alwaysSetRequestIdInResponse: manager.alwaysSetRequestIdInResponse,
    useRemoteAddress: manager.useRemoteAddress ?? false,
    xffNumTrustedHops: manager.xffNumTrustedHops,
    skipXffAppend: manager.skipXffAppend,
    appendXForwardedPort: manager.appendXForwardedPort,
    internalRanges: internalRanges(manager, `${path}.internal_address_config`, problems),
    clientCert: clientCert(manager, path, problems),
    via: headerValue(manager.via, `${path}.via`, problems),
    pathRules: pathRules(manager, path, problems),
    hostRules: hostRules(manager, path, problems),
    filters,
    grpcStats,
    suppressesEnvoyHeaders: router?.suppressEnvoyHeaders ?? false,
    bufferLimitBytes,
    streamIdleTimeoutMs,
    maxStreamDurationMs,
    drainTimeoutMs: time('drain_timeout', manager.drainTimeout, defaultDrainTimeoutMs),
    upgrades: compileUpgrades(manager, `${path}.upgrade_configs`, problems),
    server: {
      ...limits,
      ...compileHttp1Options(manager.httpProtocolOptions, `${path}.http_protocol_options`, problems),
      endsConnectionOnError: !(
        manager.httpProtocolOptions?.overrideStreamErrorOnInvalidHttpMessage ??
        manager.streamErrorOnInvalidHttpMessage ??
        false
      ),
      maxHeadBytes: headersKb * 1024,
      headTimeoutMs: time('request_headers_timeout', manager.requestHeadersTimeout, 0),
      requestTimeoutMs: time('request_timeout', manager.requestTimeout, 0),
      delayedCloseTimeoutMs: time(
        'delayed_close_timeout',
        manager.delayedCloseTimeout,
        defaultServerSettings.delayedCloseTimeoutMs,
      ),
      forwardsExpectation: manager.proxy100Continue,
    },
    codec: codec(manager, path, problems),
    http2: compileHttp2Options(
      manager.http2ProtocolOptions,
      {
        maxHeaderListBytes: headersKb * 1024,
        maxFields: limits.maxFields,
        underscores: limits.underscores,
        flushTimeoutMs: streamIdleTimeoutMs,
        resetsStreamOnInvalidMessage: manager.streamErrorOnInvalidHttpMessage,
      },
      `${path}.http2_protocol_options`,
      problems,
    ),
    accessLogs: compileAccessLogs(manager.accessLog, `${path}.access_log`, problems),
    localReplies: compileLocalReplies(manager.localReplyConfig, `${path}.local_reply_config`, problems),
  };
  return { http, routes: compileRouteSource(manager, path, problems) };
}

function compileRouteSource(
  manager: HttpConnectionManager,
  path: string,
  problems: ProblemList,
): RouteSource | null {
  const specifier = manager.routeSpecifier;
  if (specifier === undefined) {
    problems.invalid(path, 'needs one of rds, route_config, scoped_routes');
    return null;
  }
  if (specifier.$case === 'routeConfig') {
    return { kind: 'inline', config: specifier.value, path: `${path}.route_config` };
  }
  if (specifier.$case === 'scopedRoutes')
    return compileScopedRoutes(specifier.value, `${path}.scoped_routes`, problems);
  const { routeConfigName: name, configSource } = specifier.value;
  if (name === '') problems.invalid(`${path}.rds.route_config_name`, 'must not be empty');
  checkConfigSource(configSource, `${path}.rds.config_source`, problems);
  return { kind: 'rds', name };
}

function codec(manager: HttpConnectionManager, path: string, problems: ProblemList): HttpConfig['codec'] {
  switch (manager.codecType) {
    case CodecType.AUTO:
      return 'auto';
    case CodecType.HTTP1:
      return 'http1';
    case CodecType.HTTP2:
      return 'http2';
    default:
      problems.unsupported(`${path}.codec_type`);
      return 'auto';
  }
}

function compileUpgrades(manager: HttpConnectionManager, path: string, problems: ProblemList): UpgradeRules {
  const rules = new Map<string, 'forward' | 'refuse'>();
  for (const [index, config] of manager.upgradeConfigs.entries()) {
    const place = `${path}[${index}]`;
    if (config.filters.length > 0) problems.unsupported(`${place}.filters`);
    const name = upgradeName(config.upgradeType, rules, place, problems);
    rules.set(name, (config.enabled ?? true) ? 'forward' : 'refuse');
  }
  return rules;
}

function serverHeader(
  manager: HttpConnectionManager,
  path: string,
  problems: ProblemList,
): HttpConfig['serverHeader'] {
  switch (manager.serverHeaderTransformation) {
    case ServerHeader.OVERWRITE:
      return 'overwrite';
    case ServerHeader.APPEND_IF_ABSENT:
      return 'append-if-absent';
    case ServerHeader.PASS_THROUGH:
      return 'pass-through';
    default:
      problems.invalid(`${path}.server_header_transformation`, 'is no known value');
      return 'overwrite';
  }
}
