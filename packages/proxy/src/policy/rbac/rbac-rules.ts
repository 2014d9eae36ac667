// Hot path.
import type { LocalReply } from '../../http/response-flags.ts';
import type { Connection } from '../../transport/transport.ts';
import type { RbacMatcher, RbacRequest } from './rbac-matcher.ts';

/** What becomes of what a policy matches, and the opposite of what no policy matches; `log` lets everything through. */
export type RbacAction = 'allow' | 'deny' | 'log';

/** A policy: what may be done, by whom. */
export class RbacPolicy {
  readonly name: string;
  readonly permission: RbacMatcher;
  readonly principal: RbacMatcher;
  /** What a request gets that it denies. */
  readonly denial: LocalReply;

  constructor(name: string, permission: RbacMatcher, principal: RbacMatcher) {
    this.name = name;
    this.permission = permission;
    this.principal = principal;
    this.denial = denialBy(name);
  }
}

/** What a request gets that no policy allows. */
export const denialByNone = denialBy('none');

/** As Envoy words it; whitespace would break the columns of access logs. */
function denialBy(name: string): LocalReply {
  return {
    status: 403,
    flag: '-',
    details: `rbac_access_denied_matched_policy[${name.replaceAll(/\s/g, '_')}]`,
    body: 'RBAC: access denied',
  };
}

/** Policies under one action. */
export class RbacRules {
  readonly action: RbacAction;
  /** In the order of their names, in which they are tried. */
  readonly policies: readonly RbacPolicy[];

  constructor(action: RbacAction, policies: readonly RbacPolicy[]) {
    this.action = action;
    this.policies = policies;
  }

  /** The first policy that matches; null for none. */
  match(connection: Connection, request: RbacRequest | null): RbacPolicy | null {
    const { policies } = this;
    for (let i = 0; i < policies.length; i++) {
      const policy = policies[i]!;
      if (!policy.permission.matches(connection, request)) continue;
      if (policy.principal.matches(connection, request)) return policy;
    }
    return null;
  }

  /** Whether what this policy (null for none) matched may pass. */
  allows(matched: RbacPolicy | null): boolean {
    if (this.action === 'log') return true;
    return (matched !== null) === (this.action === 'allow');
  }
}
