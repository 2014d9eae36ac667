import { parseDurationMs } from '../schema/fields.ts';
import type { HttpRule } from '../schema/virtual-service.ts';
import type { RetryRule } from './route-model.ts';

/** As in Istio, where a rule wants retries and doesn't say when. */
const defaultRetryOn = 'connect-failure,refused-stream,unavailable,cancelled';

/** The conditions that Envoy's `retry_on` knows. */
export const retryConditions: ReadonlySet<string> = new Set([
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'envoy-ratelimited',
  'retriable-4xx',
  'refused-stream',
  'retriable-status-codes',
  'retriable-headers',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
]);

/** Takes `retryOn` apart: conditions, and status codes, which stand among them. */
export function splitRetryOn(text: string): { conditions: string[]; statusCodes: number[] } {
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const isStatus = (part: string): boolean => /^[1-5]\d\d$/.test(part);
  return {
    conditions: parts.filter((part) => !isStatus(part)),
    statusCodes: parts.filter(isStatus).map(Number),
  };
}

export function compileRetries(retries: NonNullable<HttpRule['retries']>): RetryRule {
  const { conditions, statusCodes } = splitRetryOn(retries.retryOn ?? '');
  const known = conditions.filter((condition) => retryConditions.has(condition));
  if (statusCodes.length > 0 && !known.includes('retriable-status-codes'))
    known.push('retriable-status-codes');
  return {
    // As in Istio: who doesn't say how often switches retries off.
    attempts: retries.attempts ?? 0,
    retryOn: known.length === 0 ? defaultRetryOn : known.join(','),
    statusCodes,
    perTryTimeoutMs: Math.round(parseDurationMs(retries.perTryTimeout ?? '0') ?? 0),
    backoffMs: Math.round(parseDurationMs(retries.backoff ?? '0') ?? 0),
    avoidsPreviousHosts: retries.retryIgnorePreviousHosts ?? true,
  };
}
