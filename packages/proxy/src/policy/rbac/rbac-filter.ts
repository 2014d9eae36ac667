// Hot path.
import type { HttpFilter } from '../../http/http-filter.ts';
import type { IncomingRequest } from '../../http/incoming-request.ts';
import type { LocalReply } from '../../http/response-flags.ts';
import type { RouteMatch } from '../../routing/route-match.ts';
import type { Connection } from '../../transport/transport.ts';
import type { RbacFilterSettings } from '../http-filter-config.ts';
import { enforce } from './enforce.ts';
import type { RbacConfig } from './rbac-config.ts';
import type { RbacMetrics } from './rbac-metrics.ts';

/** `envoy.filters.http.rbac`: lets through what its policies, or those of the route instead, let through. */
export class RbacFilter implements HttpFilter {
  private readonly name: string;
  /** Null where only routes have one. */
  private readonly config: RbacConfig | null;
  private readonly metrics: RbacMetrics;

  constructor({ name, isDisabled, rbac }: RbacFilterSettings, metrics: RbacMetrics) {
    this.name = name;
    this.config = isDisabled ? null : rbac;
    this.metrics = metrics;
  }

  onRequest(
    request: IncomingRequest,
    connection: Connection,
    route: RouteMatch<unknown> | null,
  ): LocalReply | null {
    const config = route === null || route.filters === null ? this.config : this.configFor(route);
    return config === null ? null : enforce(config, connection, request, this.metrics);
  }

  /** What is most specific wins whole: a route's policies replace the filter's. */
  private configFor(route: RouteMatch<unknown>): RbacConfig | null {
    const own = route.filters!.get(this.name);
    if (own === undefined) return this.config;
    if (own.kind === 'disabled') return null;
    // What is another filter's says nothing to this one.
    return own.kind === 'rbac' ? own.rbac : this.config;
  }
}
