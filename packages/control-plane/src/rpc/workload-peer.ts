import { parseSpiffeId, spiffeIdParts } from '@heddle/identity';
import type { RpcPeer } from '@heddle/xds';

/** A peer's certificate, taken apart. */
export interface WorkloadPeer {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** Who the verified certificate names; undefined where that is no workload. */
export function workloadOf(peer: RpcPeer): WorkloadPeer | undefined {
  const id = parseSpiffeId(peer.identity);
  return id.ok ? spiffeIdParts(id.value) : undefined;
}
