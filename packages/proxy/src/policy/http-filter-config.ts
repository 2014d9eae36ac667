import type { RbacConfig } from './rbac/rbac-config.ts';

/** One of `http_filters`, the router apart. */
export interface HttpFilterSettings {
  readonly kind: 'rbac';
  /** By which routes speak to it. */
  readonly name: string;
  /** It is there for the routes only that configure it. */
  readonly isDisabled: boolean;
  readonly rbac: RbacConfig;
}
