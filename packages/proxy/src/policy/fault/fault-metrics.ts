import type { Counter, Gauge, MetricScope } from '@heddle/telemetry';

/** `http.<stat_prefix>.fault.…` */
export interface FaultMetrics {
  readonly delays: Counter;
  readonly aborts: Counter;
  readonly overflows: Counter;
  readonly active: Gauge;
}

export function faultMetrics(scope: MetricScope, statPrefix: string): FaultMetrics {
  const labels = { envoy_http_conn_manager_prefix: statPrefix };
  const counter = (name: string, help: string): Counter =>
    scope.counter(`envoy_http_fault_${name}`, help, labels);
  return {
    delays: counter('delays_injected', 'Requests that were held back on purpose.'),
    aborts: counter('aborts_injected', 'Requests that were refused on purpose.'),
    overflows: counter('faults_overflow', 'Faults that were left out because there were too many at once.'),
    active: scope.gauge('envoy_http_fault_active_faults', 'Requests with a fault at the moment.', labels),
  };
}
