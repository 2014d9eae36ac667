import { HealthStatus } from '@heddle/xds/api/envoy/config/core/v3/health_check.ts';
import type { ClusterLoadAssignment } from '@heddle/xds/api/envoy/config/endpoint/v3/endpoint.ts';
import type { LbEndpoint } from '@heddle/xds/api/envoy/config/endpoint/v3/endpoint_components.ts';
import {
  type EndpointConfig,
  type EndpointList,
  defaultOverprovisioningPercent,
} from '../cluster/cluster.ts';
import type { EndpointHealth } from '../cluster/endpoint.ts';
import { validHost } from '../codec/valid-host.ts';
import { compileEndpointAddress } from './compile-address.ts';
import { fieldPath, type ProblemList } from './problem-list.ts';

/** Envoy's bound. */
const maxPriority = 128;

/** Where Istio says of an endpoint how connections to it are made. */
const connectionMetadata = 'envoy.transport_socket_match';

/**
 * Compiles a load assignment; `takesNames` says whether host names are addresses here. Metadata but for how connections are
 * made, and the weights of localities choose nothing (that takes `locality_weighted_lb_config`, which is refused) and are accepted.
 */
export function compileEndpoints(
  assignment: ClusterLoadAssignment,
  path: string,
  problems: ProblemList,
  takesNames = false,
): EndpointList {
  const endpoints: EndpointConfig[] = [];
  const { policy } = assignment;
  const overprovisioningPercent = policy?.overprovisioningFactor ?? defaultOverprovisioningPercent;
  if (overprovisioningPercent < 1)
    problems.invalid(fieldPath(path, 'policy.overprovisioning_factor'), 'must be 1 or more');
  if (policy?.weightedPriorityHealth === true)
    problems.unsupported(fieldPath(path, 'policy.weighted_priority_health'));
  for (const [index, group] of assignment.endpoints.entries()) {
    const place = fieldPath(path, `endpoints[${index}]`);
    if (group.priority > maxPriority) problems.invalid(`${place}.priority`, `must be 0 to ${maxPriority}`);
    for (const [position, message] of group.lbEndpoints.entries()) {
      const endpoint = compileEndpoint(message, `${place}.lb_endpoints[${position}]`, problems, takesNames);
      if (endpoint !== null) endpoints.push({ ...endpoint, priority: group.priority });
    }
  }
  checkPriorities(assignment, fieldPath(path, 'endpoints'), problems);
  return { endpoints, overprovisioningPercent };
}

/** Envoy refuses gaps: a priority without an endpoint group before one with. */
function checkPriorities(assignment: ClusterLoadAssignment, path: string, problems: ProblemList): void {
  const used = new Set(assignment.endpoints.map(({ priority }) => priority));
  for (const priority of used) {
    if (priority === 0 || used.has(priority - 1)) continue;
    problems.invalid(path, `priority ${priority} is used, ${priority - 1} is not`);
  }
}

function compileEndpoint(
  message: LbEndpoint,
  path: string,
  problems: ProblemList,
  takesNames: boolean,
): Omit<EndpointConfig, 'priority'> | null {
  const endpoint = message.hostIdentifier?.value;
  const address = compileEndpointAddress(endpoint?.address, `${path}.endpoint.address`, problems, takesNames);
  const hostname = endpoint?.hostname ?? '';
  if (hostname !== '' && !validHost.test(hostname))
    problems.invalid(`${path}.endpoint.hostname`, `"${hostname}" is no host`);
  const weight = message.loadBalancingWeight ?? 1;
  if (weight < 1) problems.invalid(`${path}.load_balancing_weight`, 'must be 1 or more');
  if (address === null) return null;
  const name = hostname === '' && takesNames ? address.host : hostname;
  const traits = message.metadata?.filterMetadata[connectionMetadata] ?? null;
  const takesTunnels = traits?.['tunnel'] !== 'none';
  return { ...address, name, weight, health: healthOf(message.healthStatus), takesTunnels, traits };
}

function healthOf(status: HealthStatus): EndpointHealth {
  switch (status) {
    case HealthStatus.UNKNOWN:
    case HealthStatus.HEALTHY:
      return 'healthy';
    case HealthStatus.DEGRADED:
      return 'degraded';
    case HealthStatus.DRAINING:
      return 'draining';
    default:
      return 'unhealthy';
  }
}
