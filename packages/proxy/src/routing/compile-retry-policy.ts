import type { RetryPolicy } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import type { ProblemList } from '../config/problem-list.ts';

/** Envoy's default for `num_retries`. */
const defaultRetries = 1;

/**
 * How often a request is tried again when no connection can be made: nothing has been sent then, and a repetition is safe
 * for any method. 0 where no policy says so.
 */
export function compileConnectRetries(
  policy: RetryPolicy | undefined,
  path: string,
  problems: ProblemList,
): number {
  if (policy === undefined) return 0;
  const conditions = policy.retryOn.split(',').map((condition) => condition.trim());
  let retries = 0;
  for (const condition of conditions) {
    if (condition === 'connect-failure') retries = policy.numRetries ?? defaultRetries;
    else if (condition !== '') {
      problems.unsupported(`${path}.retry_on`, `"${condition}"`, 'connect-failure is what can be retried');
    }
  }
  return retries;
}
