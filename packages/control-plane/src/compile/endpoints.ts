import { isInSubset } from '@heddle/model';
import { type DeepPartial, encodeMessage, TypeUrl } from '@heddle/xds';
import type { LbEndpoint } from '@heddle/xds/api/envoy/config/endpoint/v3/endpoint_components.ts';
import { HealthStatus } from '@heddle/xds/api/envoy/config/core/v3/health_check.ts';
import type { Instance } from '../instances/instance-store.ts';
import type { ClusterPlan } from './clusters.ts';
import { socketAddress } from './parts.ts';
import { opaqueProtocol, tunnelMetadata } from './tcp-link.ts';

/** The endpoints of a cluster: those of `instances`, sorted by id, that serve its port and belong to its subset. */
export function loadAssignment(plan: ClusterPlan, instances: readonly Instance[]): Uint8Array {
  const lbEndpoints = instances
    .filter(
      ({ servicePort, labels }) =>
        servicePort === plan.port && isInSubset({ name: plan.subset, labels: plan.labels }, labels),
    )
    .map(({ address, port, takesTunnels }): DeepPartial<LbEndpoint> => {
      const value = { address: socketAddress({ address, port }) };
      return {
        hostIdentifier: { $case: 'endpoint', value },
        healthStatus: HealthStatus.HEALTHY,
        metadata: plan.protocol === opaqueProtocol ? tunnelMetadata(takesTunnels) : undefined,
      };
    });
  return encodeMessage(TypeUrl.clusterLoadAssignment, {
    clusterName: plan.name,
    endpoints: lbEndpoints.length === 0 ? [] : [{ lbEndpoints }],
  });
}
