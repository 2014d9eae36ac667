import { HealthStatus } from '@heddle/xds/api/envoy/config/core/v3/health_check.ts';
import type { ClusterLoadAssignment } from '@heddle/xds/api/envoy/config/endpoint/v3/endpoint.ts';
import type { LbEndpoint } from '@heddle/xds/api/envoy/config/endpoint/v3/endpoint_components.ts';
import type { EndpointConfig } from '../cluster/cluster.ts';
import type { EndpointHealth } from '../cluster/endpoint.ts';
import { compileAddress } from './compile-address.ts';
import { fieldPath, type ProblemList } from './problem-list.ts';

/** Compiles a load assignment. Localities and metadata choose nothing here and are accepted. */
export function compileEndpoints(
  assignment: ClusterLoadAssignment,
  path: string,
  problems: ProblemList,
): EndpointConfig[] {
  const endpoints: EndpointConfig[] = [];
  if (assignment.policy !== undefined) problems.unsupported(fieldPath(path, 'policy'));
  for (const [index, group] of assignment.endpoints.entries()) {
    const place = fieldPath(path, `endpoints[${index}]`);
    if (group.priority > 0) problems.unsupported(`${place}.priority`, 'a priority above 0');
    for (const [position, endpoint] of group.lbEndpoints.entries()) {
      const compiled = compileEndpoint(endpoint, `${place}.lb_endpoints[${position}]`, problems);
      if (compiled !== null) endpoints.push(compiled);
    }
  }
  return endpoints;
}

function compileEndpoint(message: LbEndpoint, path: string, problems: ProblemList): EndpointConfig | null {
  const address = compileAddress(message.hostIdentifier?.value.address, `${path}.endpoint.address`, problems);
  const weight = message.loadBalancingWeight ?? 1;
  if (weight < 1) problems.invalid(`${path}.load_balancing_weight`, 'must be 1 or more');
  return address === null ? null : { ...address, weight, health: healthOf(message.healthStatus) };
}

function healthOf(status: HealthStatus): EndpointHealth {
  if (status === HealthStatus.UNKNOWN || status === HealthStatus.HEALTHY) return 'healthy';
  return status === HealthStatus.DRAINING ? 'draining' : 'unhealthy';
}
