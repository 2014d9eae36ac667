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
import type { RetryBudget } from '../cluster/retry-limit.ts';
import type { ProblemList } from './problem-list.ts';

/** Envoy's defaults of a retry budget. */
const defaultBudgetPercent = 20;
const defaultMinRetries = 3;

/** Compiles `circuit_breakers`. Of two thresholds for one priority the first holds, as in Envoy. */
export function compileCircuitBreakers(
  breakers: CircuitBreakers | undefined,
  problems: ProblemList,
): Readonly<Record<RoutingPriority, CircuitBreakerLimits>> {
  const path = 'circuit_breakers';
  for (const [index, thresholds] of (breakers?.thresholds ?? []).entries()) {
    checkThresholds(thresholds, `${path}.thresholds[${index}]`, problems);
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
    maxRetries: thresholds?.maxRetries ?? defaults.maxRetries,
    retryBudget: retryBudget(thresholds?.retryBudget),
    maxConnectionsPerEndpoint: ofPriority(breakers?.perHostThresholds)?.maxConnections ?? noLimit,
    tracksRemaining: thresholds?.trackRemaining ?? false,
  };
}

function checkThresholds(thresholds: Thresholds, path: string, problems: ProblemList): void {
  const percent = thresholds.retryBudget?.budgetPercent?.value ?? defaultBudgetPercent;
  if (!(percent >= 0 && percent <= 100))
    problems.invalid(`${path}.retry_budget.budget_percent`, 'must be 0 to 100');
  if (thresholds.maxConnectionPools !== undefined) problems.unsupported(`${path}.max_connection_pools`);
}

function retryBudget(budget: Thresholds['retryBudget']): RetryBudget | null {
  if (budget === undefined) return null;
  return {
    percent: budget.budgetPercent?.value ?? defaultBudgetPercent,
    minConcurrency: budget.minRetryConcurrency ?? defaultMinRetries,
  };
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
