import type { RetryPolicy as RetryPolicyMessage } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { durationMs } from '../config/duration.ts';
import type { ProblemList } from '../config/problem-list.ts';
import { grpcRetryCondition, grpcRetryConditions } from '../grpc/retry-condition.ts';
import { RetryOn, RetryPolicy } from './retry-policy.ts';

/** Envoy's defaults. */
const defaultRetries = 1;
const defaultBaseIntervalMs = 25;
const maxIntervalsOfBase = 10;

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
]);

/** Compiles a `retry_policy`; null where nothing is tried again. */
export function compileRetryPolicy(
  message: RetryPolicyMessage | undefined,
  path: string,
  problems: ProblemList,
): RetryPolicy | null {
  if (message === undefined) return null;
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
  if (conditions === 0 && grpcStatuses === 0) return null;
  return new RetryPolicy({
    conditions,
    grpcStatuses,
    maxRetries: message.numRetries ?? defaultRetries,
    statusCodes: new Set(message.retriableStatusCodes),
    baseIntervalMs,
    maxIntervalMs,
  });
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
