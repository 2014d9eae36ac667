import { TypeUrl } from '@heddle/xds';
import {
  type HeaderMatcher as HeaderMatcherMessage,
  type RetryPolicy as RetryPolicyMessage,
  RetryPolicy_ResetHeaderFormat as Format,
} from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { durationMs } from '../config/duration.ts';
import type { ProblemList } from '../config/problem-list.ts';
import { grpcRetryCondition, grpcRetryConditions } from '../grpc/retry-condition.ts';
import { refuseExtension } from '../config/unpack-config.ts';
import { compileHeader } from './compile-matchers.ts';
import type { HeaderMatcher } from './header-matcher.ts';
import { isHeaderName } from './header-syntax.ts';
import { type ResetField, RetryOn, RetryPolicy } from './retry-policy.ts';
import type { TryLimits } from './try-limits.ts';

/** Envoy's defaults. */
const defaultRetries = 1;
const defaultBaseIntervalMs = 25;
const maxIntervalsOfBase = 10;
const defaultMaxResetMs = 300_000;
/** A cluster has no more endpoints that matter. */
const mostPicks = 1000;

const conditionBits: ReadonlyMap<string, number> = new Map([
  ['connect-failure', RetryOn.connectFailure],
  ['reset-before-request', RetryOn.connectFailure],
  ['refused-stream', RetryOn.refusedStream],
  ['reset', RetryOn.reset],
  ['5xx', RetryOn.serverError],
  ['gateway-error', RetryOn.gatewayError],
  ['retriable-4xx', RetryOn.retriable4xx],
  ['retriable-status-codes', RetryOn.statusCodes],
  ['envoy-ratelimited', RetryOn.rateLimited],
  ['retriable-headers', RetryOn.fields],
]);

/** What a `retry_policy` says of all tries, and of those behind the first. */
export interface Retries {
  /** Null where nothing is tried again. */
  readonly policy: RetryPolicy | null;
  /** Null where tries may take as long as they like. */
  readonly limits: TryLimits | null;
}

/** Compiles a `retry_policy`. */
export function compileRetries(
  message: RetryPolicyMessage | undefined,
  path: string,
  problems: ProblemList,
): Retries {
  if (message === undefined) return { policy: null, limits: null };
  return {
    policy: compileRetryPolicy(message, path, problems),
    limits: compileTryLimits(message, path, problems),
  };
}

function compileTryLimits(
  { perTryTimeout, perTryIdleTimeout }: RetryPolicyMessage,
  path: string,
  problems: ProblemList,
): TryLimits | null {
  const timeoutMs = durationMs(perTryTimeout, 0, `${path}.per_try_timeout`, problems);
  const idleTimeoutMs = durationMs(perTryIdleTimeout, 0, `${path}.per_try_idle_timeout`, problems);
  return timeoutMs === 0 && idleTimeoutMs === 0 ? null : { timeoutMs, idleTimeoutMs };
}

function compileRetryPolicy(
  message: RetryPolicyMessage,
  path: string,
  problems: ProblemList,
): RetryPolicy | null {
  let conditions = 0;
  let grpcStatuses = 0;
  for (const condition of message.retryOn.split(',').map((part) => part.trim())) {
    if (condition === '') continue;
    const bit = conditionBits.get(condition) ?? 0;
    const grpcStatus = grpcRetryCondition(condition);
    conditions |= bit;
    grpcStatuses |= grpcStatus;
    if (bit === 0 && grpcStatus === 0)
      problems.unsupported(`${path}.retry_on`, `"${condition}"`, `one of ${known} can be asked for`);
  }
  const { baseIntervalMs, maxIntervalMs } = compileIntervals(
    message.retryBackOff,
    `${path}.retry_back_off`,
    problems,
  );
  const responseFields = compileFields(message.retriableHeaders, `${path}.retriable_headers`, problems);
  const requestFields = compileFields(
    message.retriableRequestHeaders,
    `${path}.retriable_request_headers`,
    problems,
  );
  const resets = compileResets(
    message.rateLimitedRetryBackOff,
    `${path}.rate_limited_retry_back_off`,
    problems,
  );
  const morePicks = compilePicks(message, path, problems);
  if (conditions === 0 && grpcStatuses === 0) return null;
  return new RetryPolicy({
    conditions,
    grpcStatuses,
    maxRetries: message.numRetries ?? defaultRetries,
    statusCodes: new Set(message.retriableStatusCodes),
    baseIntervalMs,
    maxIntervalMs,
    responseFields,
    requestFields,
    ...resets,
    morePicks,
  });
}

function compileFields(
  list: readonly HeaderMatcherMessage[],
  path: string,
  problems: ProblemList,
): HeaderMatcher[] {
  return list.flatMap((field, index) => compileHeader(field, `${path}[${index}]`, problems) ?? []);
}

/** How often an endpoint is picked anew because the request has been there; 0 where no predicate asks. */
function compilePicks(message: RetryPolicyMessage, path: string, problems: ProblemList): number {
  let avoidsPrevious = false;
  for (const [index, { name, configType }] of message.retryHostPredicate.entries()) {
    const config = configType?.value;
    if (config?.typeUrl === TypeUrl.previousHosts) avoidsPrevious = true;
    else refuseExtension(name, config, `${path}.retry_host_predicate[${index}]`, problems);
  }
  const times = message.hostSelectionRetryMaxAttempts;
  if (times < 0) problems.invalid(`${path}.host_selection_retry_max_attempts`, 'must not be negative');
  return avoidsPrevious ? Math.min(times === 0 ? 1 : times, mostPicks) : 0;
}

function compileResets(
  message: RetryPolicyMessage['rateLimitedRetryBackOff'],
  path: string,
  problems: ProblemList,
): { readonly resetFields: readonly ResetField[]; readonly maxResetMs: number } {
  if (message === undefined) return { resetFields: [], maxResetMs: 0 };
  if (message.resetHeaders.length === 0) problems.invalid(`${path}.reset_headers`, 'must not be empty');
  const resetFields = message.resetHeaders.map(({ name, format }, index) => {
    const place = `${path}.reset_headers[${index}]`;
    if (!isHeaderName(name)) problems.invalid(`${place}.name`, `"${name}" is no header name`);
    if (format !== Format.SECONDS && format !== Format.UNIX_TIMESTAMP)
      problems.invalid(`${place}.format`, 'is no known value');
    return { name: name.toLowerCase(), isTime: format === Format.UNIX_TIMESTAMP };
  });
  const maxResetMs = durationMs(message.maxInterval, defaultMaxResetMs, `${path}.max_interval`, problems);
  if (maxResetMs === 0) problems.invalid(`${path}.max_interval`, 'must be more than 0');
  return { resetFields, maxResetMs };
}

const known = [...conditionBits.keys(), ...grpcRetryConditions].join(', ');

function compileIntervals(
  backOff: RetryPolicyMessage['retryBackOff'],
  path: string,
  problems: ProblemList,
): { readonly baseIntervalMs: number; readonly maxIntervalMs: number } {
  const base = durationMs(backOff?.baseInterval, defaultBaseIntervalMs, `${path}.base_interval`, problems);
  if (backOff !== undefined && (backOff.baseInterval === undefined || base === 0))
    problems.invalid(`${path}.base_interval`, 'must be more than 0');
  // Envoy, too, counts in whole milliseconds.
  const baseIntervalMs = Math.max(1, Math.floor(base));
  const max = durationMs(
    backOff?.maxInterval,
    baseIntervalMs * maxIntervalsOfBase,
    `${path}.max_interval`,
    problems,
  );
  const maxIntervalMs = Math.max(1, Math.floor(max));
  if (maxIntervalMs < baseIntervalMs)
    problems.invalid(`${path}.max_interval`, 'must not be less than base_interval');
  return { baseIntervalMs, maxIntervalMs };
}
