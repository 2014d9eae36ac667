import { type Random, assertNever } from '@heddle/base';
import type { MetricScope } from '@heddle/telemetry';
import { BridgeFilter } from '../grpc/bridge/bridge-filter.ts';
import { WebFilter } from '../grpc/web/web-filter.ts';
import type { HttpFilter } from '../http/http-filter.ts';
import type { ConnectionManagerMetrics } from '../stats/connection-manager-metrics.ts';
import { CorsFilter } from './cors/cors-filter.ts';
import { CorsMetrics } from './cors/cors-metrics.ts';
import type { HttpFilterSettings } from './http-filter-config.ts';
import { FaultFilter } from './fault/fault-filter.ts';
import { faultMetrics } from './fault/fault-metrics.ts';
import { RbacFilter } from './rbac/rbac-filter.ts';
import { httpRbacMetrics } from './rbac/rbac-metrics.ts';

/** The filters of a connection manager, whose metrics are `metrics`, in the order in which requests pass them. */
export function buildHttpFilters(
  filters: readonly HttpFilterSettings[],
  scope: MetricScope,
  statPrefix: string,
  metrics: ConnectionManagerMetrics,
  random: Random,
): HttpFilter[] {
  return filters.map((filter) => {
    switch (filter.kind) {
      case 'rbac':
        return new RbacFilter(filter, httpRbacMetrics(scope, statPrefix, filter.rbac));
      case 'cors':
        return new CorsFilter(filter, new CorsMetrics(scope, statPrefix), random);
      case 'fault':
        return new FaultFilter(filter, faultMetrics(scope, statPrefix), random);
      case 'grpc-web':
        return new WebFilter(filter);
      case 'grpc-http1-bridge':
        return new BridgeFilter(filter, metrics);
      default:
        return assertNever(filter);
    }
  });
}
