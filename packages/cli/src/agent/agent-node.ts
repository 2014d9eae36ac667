// What an Envoy or a gRPC application says of itself in its xDS node.
import { nodeOf } from '@heddle/proxy/node-metadata';
import type { AgentOptions } from './agent-options.ts';

/** A node in the names of a bootstrap's JSON. */
export type ForeignNode = ReturnType<typeof nodeOf>;

/** A sidecar's node without what only Heddle's proxy can do. `GENERATOR` is Istio's name for whom resources are made for. */
export function foreignNode(options: AgentOptions): ForeignNode {
  return nodeOf(options, { GENERATOR: options.proxy });
}
