import type { RunningControlPlane, StartOptions } from './start-control-plane.ts';

export type { OidcOptions } from '../oidc/oidc-tokens.ts';
export type { DatastoreOptions } from './datastore.ts';
export type { ControlPlaneAddresses, RunningControlPlane, StartOptions } from './start-control-plane.ts';

/**
 * Starts a control plane with store, xDS, joining and API; see `startControlPlane` behind it for what it rejects with.
 * Loaded when it is called: whoever wants the types or the core alone pays for no gRPC, HTTP or database.
 */
export async function startControlPlane(options: StartOptions): Promise<RunningControlPlane> {
  const { startControlPlane: start } = await import('./start-control-plane.ts');
  return await start(options);
}
