import { ensureDashboardBuilt } from '../../../packages/dashboard/tools/ensure-built.ts';
import { startContractServer } from './contract-server.ts';

/** A mesh with a dashboard, and what one needs to look at it. */
export interface Mesh {
  /** `http://127.0.0.1:<port>`, where the control plane serves the dashboard and its API. */
  readonly url: string;
  /** Admits a person to the dashboard. */
  readonly token: string;
  close(): Promise<void>;
}

/** Starts a mesh that has traffic. */
export async function startMesh(): Promise<Mesh> {
  return startContractServer(await ensureDashboardBuilt());
}
