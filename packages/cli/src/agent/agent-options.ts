import type { SidecarOptions } from '@heddle/proxy';

/** Whose data plane an agent serves. */
export type ForeignProxy = 'envoy' | 'grpc';

/** What a supervisor tells an agent: what it tells a sidecar, and whom it serves. */
export interface AgentOptions extends SidecarOptions {
  readonly proxy: ForeignProxy;
  /** Envoy's program; empty for gRPC, which needs none. */
  readonly envoy: string;
}
