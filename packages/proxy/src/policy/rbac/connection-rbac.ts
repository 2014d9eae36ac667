import type { ConnectionFilter } from '../../listener/connection-filter.ts';
import type { Connection } from '../../transport/transport.ts';
import { enforce } from './enforce.ts';
import type { RbacConfig } from './rbac-config.ts';
import type { RbacMetrics } from './rbac-metrics.ts';

/**
 * `envoy.filters.network.rbac`: lets connections stay that its policies let stay. Envoy decides when the first byte comes,
 * because it doesn't know the peer's certificate before; here nobody comes this far without, and who is refused never
 * reaches the upstream.
 */
export class ConnectionRbac implements ConnectionFilter {
  private readonly config: RbacConfig;
  private readonly metrics: RbacMetrics;

  constructor(config: RbacConfig, metrics: RbacMetrics) {
    this.config = config;
    this.metrics = metrics;
  }

  onConnection(connection: Connection): string | null {
    return enforce(this.config, connection, null, this.metrics)?.details ?? null;
  }
}
