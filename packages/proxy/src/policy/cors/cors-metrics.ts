import type { Counter, MetricScope } from '@heddle/telemetry';

/** A CORS filter's counts under Envoy's names: `http.<stat_prefix>.cors.origin_valid` and so on. */
export class CorsMetrics {
  readonly valid: Counter;
  readonly invalid: Counter;

  constructor(scope: MetricScope, statPrefix: string) {
    const labels = { envoy_http_conn_manager_prefix: statPrefix };
    this.valid = scope.counter(
      'envoy_http_cors_origin_valid',
      'Requests of origins that are allowed.',
      labels,
    );
    this.invalid = scope.counter(
      'envoy_http_cors_origin_invalid',
      'Requests of origins that are not allowed.',
      labels,
    );
  }
}
