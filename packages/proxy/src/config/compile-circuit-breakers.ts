import type {
  CircuitBreakers,
  CircuitBreakers_Thresholds as Thresholds,
} from '@heddle/xds/api/envoy/config/cluster/v3/circuit_breaker.ts';
import { RoutingPriority as Priority } from '@heddle/xds/api/envoy/config/core/v3/base.ts';
import {
  type CircuitBreakerLimits,
  defaultCircuitBreakerLimits as defaults,
  noLimit,
} from '../cluster/circuit-breaker.ts';
import type { RoutingPriority } from '../cluster/cluster-metrics.ts';
import type { ProblemList } from './problem-list.ts';

/** Envoy's `max_retries` where none is given. */
const defaultMaxRetries = 3;

/** Compiles `circuit_breakers`. Of two thresholds for one priority the first holds, as in Envoy. */
export function compileCircuitBreakers(
  breakers: CircuitBreakers | undefined,
  problems: ProblemList,
): Readonly<Record<RoutingPriority, CircuitBreakerLimits>> {
  const path = 'circuit_breakers';
  for (const [index, thresholds] of (breakers?.thresholds ?? []).entries()) {
    refuseRetries(thresholds, `${path}.thresholds[${index}]`, problems);
  }
  for (const [index, thresholds] of (breakers?.perHostThresholds ?? []).entries()) {
    checkPerHost(thresholds, `${path}.per_host_thresholds[${index}]`, problems);
  }
  return {
    default: limitsOf(breakers, Priority.DEFAULT),
    high: limitsOf(breakers, Priority.HIGH),
  };
}

function limitsOf(breakers: CircuitBreakers | undefined, priority: Priority): CircuitBreakerLimits {
  const ofPriority = (list: readonly Thresholds[] | undefined): Thresholds | undefined =>
    list?.find((candidate) => candidate.priority === priority);
  const thresholds = ofPriority(breakers?.thresholds);
  return {
    maxConnections: thresholds?.maxConnections ?? defaults.maxConnections,
    maxPendingRequests: thresholds?.maxPendingRequests ?? defaults.maxPendingRequests,
    maxRequests: thresholds?.maxRequests ?? defaults.maxRequests,
    maxConnectionsPerEndpoint: ofPriority(breakers?.perHostThresholds)?.maxConnections ?? noLimit,
    tracksRemaining: thresholds?.trackRemaining ?? false,
  };
}

function refuseRetries(thresholds: Thresholds, path: string, problems: ProblemList): void {
  const { maxRetries } = thresholds;
  if (maxRetries !== undefined && maxRetries !== defaultMaxRetries) {
    problems.unsupported(`${path}.max_retries`, `anything but ${defaultMaxRetries}`);
  }
  if (thresholds.retryBudget !== undefined) problems.unsupported(`${path}.retry_budget`);
  if (thresholds.maxConnectionPools !== undefined) problems.unsupported(`${path}.max_connection_pools`);
}

function checkPerHost(thresholds: Thresholds, path: string, problems: ProblemList): void {
  const others: readonly (readonly [string, unknown])[] = [
    ['max_pending_requests', thresholds.maxPendingRequests],
    ['max_requests', thresholds.maxRequests],
    ['max_retries', thresholds.maxRetries],
    ['retry_budget', thresholds.retryBudget],
    ['max_connection_pools', thresholds.maxConnectionPools],
    ['track_remaining', thresholds.trackRemaining ? true : undefined],
  ];
  for (const [field, value] of others) {
    if (value !== undefined) problems.invalid(`${path}.${field}`, 'only max_connections goes here');
  }
}
