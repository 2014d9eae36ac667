import type { BridgeFilterSettings } from '../grpc/bridge/bridge-filter.ts';
import type { WebFilterSettings } from '../grpc/web/web-filter.ts';
import type { CorsFilterSettings } from './cors/cors-filter.ts';
import type { FaultFilterSettings } from './fault/fault-filter.ts';
import type { RbacConfig } from './rbac/rbac-config.ts';

/** One of `http_filters`, the router apart. */
export type HttpFilterSettings =
  | RbacFilterSettings
  | CorsFilterSettings
  | FaultFilterSettings
  | WebFilterSettings
  | BridgeFilterSettings;

/** `envoy.filters.http.rbac`. */
export interface RbacFilterSettings {
  readonly kind: 'rbac';
  /** By which routes speak to it. */
  readonly name: string;
  /** It is there for the routes only that configure it. */
  readonly isDisabled: boolean;
  readonly rbac: RbacConfig;
}
