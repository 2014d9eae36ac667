import type { CorsPolicy } from './cors/cors-policy.ts';
import type { FaultConfig } from './fault/fault-config.ts';
import type { RbacConfig } from './rbac/rbac-config.ts';

/** What a route says to one filter of the connection manager. */
export type RouteFilterConfig =
  /** The filter is not there for this route. */
  | { readonly kind: 'disabled' }
  /** Instead of what the filter itself says. */
  | { readonly kind: 'rbac'; readonly rbac: RbacConfig }
  /** What it says nothing of, an outer level may. */
  | { readonly kind: 'cors'; readonly cors: CorsPolicy }
  | { readonly kind: 'fault'; readonly fault: FaultConfig };

/** By the names of the filters in the connection manager's list. */
export type RouteFilterConfigs = ReadonlyMap<string, RouteFilterConfig>;
