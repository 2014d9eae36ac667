// What an Envoy or a gRPC application says of itself in its xDS node.
import { nodeOf } from '@heddle/proxy/node-metadata';
import type { AgentOptions } from './agent-options.ts';

/** A node in the names of a bootstrap's JSON. */
export interface ForeignNode {
  readonly id: string;
  readonly cluster: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/**
 * A sidecar's node without what only Heddle's proxy can do: TCP connections come and go by themselves. `GENERATOR` is Istio's name
 * for what is to be made for a client.
 */
export function foreignNode(options: AgentOptions): ForeignNode {
  const { id, cluster, metadata } = nodeOf(options);
  const { HEDDLE_VERSION: _version, ENABLE_HBONE: _tunnels, ...rest } = metadata;
  return { id, cluster, metadata: { ...rest, GENERATOR: options.proxy } };
}
