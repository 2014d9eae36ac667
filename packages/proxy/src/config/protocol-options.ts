import {
  type Http1ProtocolOptions,
  type HttpProtocolOptions,
  HttpProtocolOptions_HeadersWithUnderscoresAction as UnderscoresAction,
} from '@heddle/xds/api/envoy/config/core/v3/protocol.ts';
import { durationMs } from './duration.ts';
import type { ProblemList } from './problem-list.ts';

/** Refuses what the HTTP/1.1 codec doesn't do. */
export function checkHttp1Options(
  options: Http1ProtocolOptions | undefined,
  path: string,
  problems: ProblemList,
): void {
  if (options === undefined) return;
  if (options.allowAbsoluteUrl === false)
    problems.unsupported(`${path}.allow_absolute_url`, 'refusing absolute URLs');
  if (options.acceptHttp10) problems.unsupported(`${path}.accept_http_10`);
  if (options.defaultHostForHttp10 !== '') problems.unsupported(`${path}.default_host_for_http_10`);
  if (options.enableTrailers) problems.unsupported(`${path}.enable_trailers`);
  if (options.allowChunkedLength) problems.unsupported(`${path}.allow_chunked_length`);
  if (options.overrideStreamErrorOnInvalidHttpMessage === true) {
    problems.unsupported(`${path}.override_stream_error_on_invalid_http_message`);
  }
}

/** The two of the common HTTP options that listeners do. */
export interface CommonHttpLimits {
  readonly idleTimeoutMs: number;
  readonly maxHeadersCount: number;
}

/** Envoy's defaults. */
const defaultIdleTimeoutMs = 3_600_000;
const defaultMaxHeadersCount = 100;

/** Compiles a listener's common HTTP options. */
export function compileHttpLimits(
  options: HttpProtocolOptions | undefined,
  path: string,
  problems: ProblemList,
): CommonHttpLimits {
  checkRest(options, path, problems);
  const maxHeadersCount = options?.maxHeadersCount ?? defaultMaxHeadersCount;
  if (maxHeadersCount < 1) problems.invalid(`${path}.max_headers_count`, 'must be 1 or more');
  return {
    idleTimeoutMs: durationMs(options?.idleTimeout, defaultIdleTimeoutMs, `${path}.idle_timeout`, problems),
    maxHeadersCount,
  };
}

function checkRest(options: HttpProtocolOptions | undefined, path: string, problems: ProblemList): void {
  if (options === undefined) return;
  if (options.maxConnectionDuration !== undefined) problems.unsupported(`${path}.max_connection_duration`);
  if (options.maxStreamDuration !== undefined) problems.unsupported(`${path}.max_stream_duration`);
  if ((options.maxRequestsPerConnection ?? 0) > 0)
    problems.unsupported(`${path}.max_requests_per_connection`);
  if (options.headersWithUnderscoresAction !== UnderscoresAction.ALLOW) {
    problems.unsupported(`${path}.headers_with_underscores_action`);
  }
}
