import type { MetricScope } from '@heddle/telemetry';
import type { ConnectionFilter } from '../listener/connection-filter.ts';
import type { ConnectionFilterSettings } from './connection-filter-config.ts';
import { ConnectionRbac } from './rbac/connection-rbac.ts';
import { networkRbacMetrics } from './rbac/rbac-metrics.ts';

/** The network filters of a chain in their order, but the one that ends it. */
export function buildConnectionFilters(
  filters: readonly ConnectionFilterSettings[],
  scope: MetricScope,
): ConnectionFilter[] {
  return filters.map(
    ({ statPrefix, rbac }) => new ConnectionRbac(rbac, networkRbacMetrics(scope, statPrefix, rbac)),
  );
}
