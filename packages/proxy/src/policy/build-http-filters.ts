import type { MetricScope } from '@heddle/telemetry';
import type { HttpFilter } from '../http/http-filter.ts';
import type { HttpFilterSettings } from './http-filter-config.ts';
import { RbacFilter } from './rbac/rbac-filter.ts';
import { httpRbacMetrics } from './rbac/rbac-metrics.ts';

/** The filters of a connection manager in the order in which requests pass them. */
export function buildHttpFilters(
  filters: readonly HttpFilterSettings[],
  scope: MetricScope,
  statPrefix: string,
): HttpFilter[] {
  return filters.map((filter) => new RbacFilter(filter, httpRbacMetrics(scope, statPrefix, filter.rbac)));
}
