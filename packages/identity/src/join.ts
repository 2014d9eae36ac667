import type { Clock, HeddleError, Result } from '@heddle/base';
import type { IdentityEnvironment, WorkloadIdentity } from './workload-identity.ts';

export interface JoinOptions extends IdentityEnvironment {
  /** `host:port` of the control plane's join listener. */
  readonly joinAddress: string;
  /** The join token's text. */
  readonly joinToken: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** The service that this is an instance of; a token for any service account lets the account serve it. */
  readonly service?: string;
  readonly clock: Clock;
  /** How long each of the two exchanges may take; default 10 s. */
  readonly timeoutMs?: number;
}

/**
 * Joins the mesh with a token: makes a key, has it certified, stores the identity. The code is loaded only now, because
 * a sidecar that starts with a stored identity never needs it.
 */
export async function joinMesh(options: JoinOptions): Promise<Result<WorkloadIdentity, HeddleError>> {
  const client = await import('./join-client.ts');
  return client.join(options);
}
