/** The endpoints of clusters: instances with sidecars of ours, and those that objects name. */
import { isInSubset } from '@heddle/model';
import { encodeMessage, TypeUrl } from '@heddle/xds';
import type { Instance } from '../instances/instance-store.ts';
import type { ClusterPlan } from './clusters.ts';
import { byLocality, type ClusterEndpoint } from './declared-clusters.ts';
import { socketAddress } from './parts.ts';
import type { IsPlain } from './plain-peers.ts';

/** Those of `instances`, sorted by id, that serve the cluster's port and belong to its subset. */
export function instanceEndpoints(
  plan: ClusterPlan,
  instances: readonly Instance[],
  servicePort: number = plan.port,
  isPlain: IsPlain = () => false,
): ClusterEndpoint[] {
  const subset = { name: plan.subset, labels: plan.labels };
  return instances
    .filter((instance) => instance.servicePort === servicePort && isInSubset(subset, instance.labels))
    .map((instance) => ({
      address: socketAddress({ address: instance.address, port: instance.port }),
      locality: '',
      weight: 1,
      takesTunnels: instance.takesTunnels,
      isPlain: isPlain(instance),
    }));
}

export function loadAssignment(plan: ClusterPlan, endpoints: readonly ClusterEndpoint[]): Uint8Array {
  return encodeMessage(TypeUrl.clusterLoadAssignment, {
    clusterName: plan.name,
    endpoints: byLocality(plan, endpoints),
  });
}
