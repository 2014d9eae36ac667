import type { Counter, Gauge, MetricScope } from '@heddle/telemetry';
import type { ConnectionLimitConfig } from '../config/listener-config.ts';
import type { ProcessCount, ProcessCounts } from '../stack/process-counts.ts';

/** A `connection_limit` filter in force, with Envoy's counts `connection_limit.<stat_prefix>.active_connections` and `limited_connections`. */
export class ActiveLimit {
  readonly config: ConnectionLimitConfig;
  private readonly count: ProcessCount;
  private readonly active: Gauge;
  private readonly limited: Counter;

  /** `name` is the same on all threads, and no other limit's. */
  constructor(config: ConnectionLimitConfig, name: string, counts: ProcessCounts, scope: MetricScope) {
    this.config = config;
    this.count = counts.open(name);
    const labels = { envoy_connection_limit_prefix: config.statPrefix };
    this.active = scope.gauge(
      'envoy_connection_limit_active_connections',
      'Connections that came to the limit and are open.',
      labels,
    );
    this.limited = scope.counter(
      'envoy_connection_limit_limited_connections',
      'Connections beyond the limit.',
      labels,
    );
  }

  /**
   * Counts a connection; false where it is one too many. Either way it counts until `leave`: as in Envoy, those that wait to be
   * closed keep others out too.
   */
  enter(): boolean {
    this.active.value++;
    if (this.count.tryAdd(this.config.maxConnections)) return true;
    this.count.add();
    this.limited.value++;
    return false;
  }

  /** A connection that came is gone. */
  leave(): void {
    this.active.value--;
    this.count.remove();
  }

  /** To be called when no connection is left. */
  close(): void {
    this.count.close();
  }
}
