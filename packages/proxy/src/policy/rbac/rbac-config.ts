import type { RbacRules } from './rbac-rules.ts';

/** What an RBAC filter enforces and what it only counts. */
export interface RbacConfig {
  /** Null enforces nothing. */
  readonly rules: RbacRules | null;
  /** A dry run: counted, never enforced. Null for none. */
  readonly shadowRules: RbacRules | null;
  /** In the names of the counters of what is enforced, ended by a dot; may be empty. */
  readonly statPrefix: string;
  /** In those of the dry run. */
  readonly shadowStatPrefix: string;
  /** Counts by policy, too. */
  readonly tracksPolicies: boolean;
}
