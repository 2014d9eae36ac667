/**
 * `healthy`: requests, none failed. `degraded`: some failed. `failing`: a tenth or more failed, or nobody is there to
 * answer. `idle`: instances but no requests. `absent`: neither instances nor requests.
 */
export type ServiceHealth = 'healthy' | 'degraded' | 'failing' | 'idle' | 'absent';

/** Share of failed requests from which a service counts as failing. The tolerances are Kiali's for answers of 5xx. */
export const FAILING_SHARE = 0.1;

/** Judges a service by its instances and its traffic of the last seconds; the worst sign wins. */
export function judgeService(
  instances: number,
  requestsPerSecond: number,
  errorsPerSecond: number,
): ServiceHealth {
  const share = errorShare(requestsPerSecond, errorsPerSecond);
  if (instances === 0) return requestsPerSecond > 0 ? 'failing' : 'absent';
  if (requestsPerSecond === 0) return 'idle';
  if (share >= FAILING_SHARE) return 'failing';
  return share > 0 ? 'degraded' : 'healthy';
}

/** Failed requests as a share of all, between 0 and 1; 0 where there were none. */
export function errorShare(requestsPerSecond: number, errorsPerSecond: number): number {
  return requestsPerSecond > 0 ? Math.min(1, errorsPerSecond / requestsPerSecond) : 0;
}

/** What a colour says, in words, for people who don't see it. */
export const HEALTH_LABEL: Readonly<Record<ServiceHealth, string>> = {
  healthy: 'healthy',
  degraded: 'degraded: some requests fail',
  failing: 'failing: 10 % or more of the requests fail',
  idle: 'idle: no requests',
  absent: 'no instances',
};

/** How bad a state is; for sorting, worst first. */
export const HEALTH_RANK: Readonly<Record<ServiceHealth, number>> = {
  failing: 0,
  degraded: 1,
  absent: 2,
  healthy: 3,
  idle: 4,
};
