import { TypeUrl } from '@heddle/xds';
import {
  type Http1ProtocolOptions,
  type HttpProtocolOptions,
  HttpProtocolOptions_HeadersWithUnderscoresAction as UnderscoresAction,
} from '@heddle/xds/api/envoy/config/core/v3/protocol.ts';
import type { Duration } from '@heddle/xds/api/google/protobuf/duration.ts';
import { validHost } from '../codec/valid-host.ts';
import { type HeadRules, UnderscoreAction, defaultServerSettings } from '../http1/server-settings.ts';
import { durationMs } from './duration.ts';
import type { ProblemList } from './problem-list.ts';
import { refuseExtension, unpackConfig } from './unpack-config.ts';

/** What `Http1ProtocolOptions` say. */
export interface Http1Options extends Omit<HeadRules, 'endsConnectionOnError'> {
  readonly takesTrailers: boolean;
}

/**
 * Compiles the options of a listener's or a cluster's HTTP/1.1 codec. `override_stream_error_on_invalid_http_message` is for
 * the listener to read: a cluster's connections end with a message that can't be read, as Envoy's do.
 */
export function compileHttp1Options(
  options: Http1ProtocolOptions | undefined,
  path: string,
  problems: ProblemList,
): Http1Options {
  const defaultHost = options?.defaultHostForHttp10 ?? '';
  if (defaultHost !== '' && !validHost.test(defaultHost)) {
    problems.invalid(`${path}.default_host_for_http_10`, `"${defaultHost}" is no host`);
  }
  checkKeyFormat(options?.headerKeyFormat, `${path}.header_key_format`, problems);
  return {
    acceptsHttp10: options?.acceptHttp10 ?? false,
    defaultHost,
    allowsAbsoluteTarget: options?.allowAbsoluteUrl ?? true,
    allowsCustomMethods: options?.allowCustomMethods ?? false,
    allowsChunkedLength: options?.allowChunkedLength ?? false,
    takesTrailers: options?.enableTrailers ?? false,
  };
}

/** Names keep their case here, and added ones are in small letters, as with Envoy's `preserve_case`: that has no effect. */
function checkKeyFormat(
  format: Http1ProtocolOptions['headerKeyFormat'],
  path: string,
  problems: ProblemList,
): void {
  const choice = format?.headerFormat;
  if (choice === undefined) return;
  if (choice.$case === 'properCaseWords') {
    problems.unsupported(
      `${path}.proper_case_words`,
      undefined,
      'names of fields keep their case without it',
    );
    return;
  }
  const { name, typedConfig } = choice.value;
  const place = `${path}.stateful_formatter.typed_config`;
  if (typedConfig?.typeUrl !== TypeUrl.preserveCase) {
    refuseExtension(name, typedConfig, place, problems);
    return;
  }
  const config = unpackConfig(typedConfig, TypeUrl.preserveCase, place, problems);
  if (config !== null && config.formatterTypeOnEnvoyHeaders !== 0)
    problems.unsupported(`${place}.formatter_type_on_envoy_headers`);
}

/** What a listener's `HttpProtocolOptions` say. */
export interface CommonHttpLimits {
  readonly idleTimeoutMs: number;
  readonly maxFields: number;
  readonly maxConnectionDurationMs: number;
  readonly maxStreamDurationMs: number;
  readonly maxRequests: number;
  /** One of `UnderscoreAction`. */
  readonly underscores: number;
}

/** Compiles a listener's common HTTP options. */
export function compileHttpLimits(
  options: HttpProtocolOptions | undefined,
  path: string,
  problems: ProblemList,
): CommonHttpLimits {
  const time = (field: string, duration: Duration | undefined, fallbackMs: number): number =>
    durationMs(duration, fallbackMs, `${path}.${field}`, problems);
  if (options?.maxResponseHeadersKb !== undefined) {
    problems.invalid(`${path}.max_response_headers_kb`, 'is for clusters, not for listeners');
  }
  return {
    idleTimeoutMs: time('idle_timeout', options?.idleTimeout, defaultServerSettings.idleTimeoutMs),
    maxFields: compileMaxHeaders(options, defaultServerSettings.maxFields, path, problems),
    maxConnectionDurationMs: time('max_connection_duration', options?.maxConnectionDuration, 0),
    maxStreamDurationMs: time('max_stream_duration', options?.maxStreamDuration, 0),
    maxRequests: options?.maxRequestsPerConnection ?? 0,
    underscores: underscoreAction(options, path, problems),
  };
}

/** Compiles `max_headers_count`, which listeners and clusters have. */
export function compileMaxHeaders(
  options: HttpProtocolOptions | undefined,
  fallback: number,
  path: string,
  problems: ProblemList,
): number {
  const count = options?.maxHeadersCount ?? fallback;
  if (count < 1) problems.invalid(`${path}.max_headers_count`, 'must be 1 or more');
  return count;
}

function underscoreAction(
  options: HttpProtocolOptions | undefined,
  path: string,
  problems: ProblemList,
): number {
  switch (options?.headersWithUnderscoresAction ?? UnderscoresAction.ALLOW) {
    case UnderscoresAction.ALLOW:
      return UnderscoreAction.allow;
    case UnderscoresAction.REJECT_REQUEST:
      return UnderscoreAction.reject;
    case UnderscoresAction.DROP_HEADER:
      return UnderscoreAction.drop;
    default:
      problems.invalid(`${path}.headers_with_underscores_action`, 'is no known value');
      return UnderscoreAction.reject;
  }
}
