/** Endpoints as gRPC's clients take them: those without a locality or its weight they leave out without a word. */
import { isIP } from 'node:net';
import { ClusterLoadAssignment } from '@heddle/xds/api/envoy/config/endpoint/v3/endpoint.ts';
import type {
  LbEndpoint,
  LocalityLbEndpoints,
} from '@heddle/xds/api/envoy/config/endpoint/v3/endpoint_components.ts';
import { HealthStatus } from '@heddle/xds/api/envoy/config/core/v3/health_check.ts';
import { Locality } from '@heddle/xds/api/envoy/config/core/v3/base.ts';

export function grpcEndpoints(encoded: Uint8Array): Uint8Array {
  const assignment = ClusterLoadAssignment.decode(encoded);
  // One group for each locality and priority, each address once, priorities without gaps: anything else is refused whole.
  const groups = new Map<string, LocalityLbEndpoints>();
  const addresses = new Set<string>();
  for (const group of assignment.endpoints) {
    const locality = group.locality ?? Locality.fromPartial({});
    const { region, zone, subZone } = locality;
    const key = JSON.stringify([region, zone, subZone, group.priority]);
    const known = groups.get(key);
    const lbEndpoints = group.lbEndpoints.filter((endpoint) => isUsable(endpoint, addresses));
    for (const endpoint of lbEndpoints) endpoint.metadata = undefined;
    const weight = group.loadBalancingWeight ?? Math.max(1, lbEndpoints.length);
    if (known === undefined) {
      groups.set(key, { ...group, locality, lbEndpoints, metadata: undefined, loadBalancingWeight: weight });
      continue;
    }
    known.lbEndpoints.push(...lbEndpoints);
    known.loadBalancingWeight = (known.loadBalancingWeight ?? 0) + weight;
  }
  const used = [...groups.values()].filter(({ lbEndpoints }) => lbEndpoints.length > 0);
  const priorities = [...new Set(used.map(({ priority }) => priority))].sort((a, b) => a - b);
  for (const group of used) group.priority = priorities.indexOf(group.priority);
  const endpoints = used.toSorted((a, b) => a.priority - b.priority);
  const { clusterName } = assignment;
  return ClusterLoadAssignment.encode({
    ...ClusterLoadAssignment.fromPartial({ clusterName }),
    endpoints,
  }).finish();
}

function isUsable({ hostIdentifier, healthStatus }: LbEndpoint, taken: Set<string>): boolean {
  if (healthStatus !== HealthStatus.HEALTHY && healthStatus !== HealthStatus.UNKNOWN) return false;
  const address = hostIdentifier?.value.address?.address;
  if (address?.$case !== 'socketAddress' || isIP(address.value.address) === 0) return false;
  const { portSpecifier } = address.value;
  const key = `${address.value.address} ${portSpecifier?.value}`;
  if (taken.has(key)) return false;
  taken.add(key);
  return true;
}
