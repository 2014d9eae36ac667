import type { RbacConfig } from './rbac/rbac-config.ts';

/** A network filter before the one that ends its chain. */
export interface ConnectionFilterSettings {
  readonly kind: 'rbac';
  /** In the names of its counters. */
  readonly statPrefix: string;
  readonly rbac: RbacConfig;
}
