import { isInSubset } from '@heddle/model';
import { encodeMessage, TypeUrl } from '@heddle/xds';
import { HealthStatus } from '@heddle/xds/api/envoy/config/core/v3/health_check.ts';
import type { Instance } from '../instances/instance-store.ts';
import type { ClusterPlan } from './clusters.ts';
import { socketAddress } from './parts.ts';

/** The endpoints of a cluster: those of `instances`, sorted by id, that serve its port and belong to its subset. */
export function loadAssignment(plan: ClusterPlan, instances: readonly Instance[]): Uint8Array {
  const lbEndpoints = instances
    .filter(
      ({ servicePort, labels }) =>
        servicePort === plan.port && isInSubset({ name: plan.subset, labels: plan.labels }, labels),
    )
    .map(({ address, port }) => ({
      hostIdentifier: { $case: 'endpoint' as const, value: { address: socketAddress({ address, port }) } },
      healthStatus: HealthStatus.HEALTHY,
    }));
  return encodeMessage(TypeUrl.clusterLoadAssignment, {
    clusterName: plan.name,
    endpoints: lbEndpoints.length === 0 ? [] : [{ lbEndpoints }],
  });
}
