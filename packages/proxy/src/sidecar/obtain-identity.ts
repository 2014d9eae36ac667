// Who a workload is: the identity of an earlier life, or a new one by its join token.
import type { Clock, HeddleError, Logger, Result } from '@heddle/base';
import { type JoinOptions, type WorkloadIdentity, joinMesh, loadWorkloadIdentity } from '@heddle/identity';
import type { SidecarOptions } from './options.ts';

/** What joining wants to know of a workload. */
export function joinOptionsOf(options: SidecarOptions, clock: Clock, logger: Logger): JoinOptions {
  const { stateDirectory, namespace, serviceAccount, service, joinAddress, joinToken } = options;
  return { stateDirectory, namespace, serviceAccount, service, joinAddress, joinToken, clock, logger };
}

/** The identity that the state directory holds, or a new one by the join token. */
export async function obtainIdentity(
  options: SidecarOptions,
  clock: Clock,
  logger: Logger,
): Promise<Result<WorkloadIdentity, HeddleError>> {
  const joining = joinOptionsOf(options, clock, logger);
  const stored = await loadWorkloadIdentity(joining);
  if (stored.ok && stored.value !== null) return { ok: true, value: stored.value };
  if (!stored.ok) logger.warn('The stored identity is not used', { reason: stored.error.message });
  return await joinMesh(joining);
}
