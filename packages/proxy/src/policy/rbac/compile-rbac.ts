import {
  type Policy,
  type RBAC as RulesMessage,
  RBAC_Action as Action,
} from '@heddle/xds/api/envoy/config/rbac/v3/rbac.ts';
import type { RBAC as HttpRbac } from '@heddle/xds/api/envoy/extensions/filters/http/rbac/v3/rbac.ts';
import type { RBAC as NetworkRbac } from '@heddle/xds/api/envoy/extensions/filters/network/rbac/v3/rbac.ts';
import type { ProblemList } from '../../config/problem-list.ts';
import { anyOf } from './combine.ts';
import { isComplete, type RbacSubject } from './compile-common.ts';
import { compilePermission } from './compile-permission.ts';
import { compilePrincipal } from './compile-principal.ts';
import type { RbacConfig } from './rbac-config.ts';
import { type RbacAction, RbacPolicy, RbacRules } from './rbac-rules.ts';

/** Compiles `extensions.filters.http.rbac.v3.RBAC`. What isn't understood is refused whole: a policy is never left out. */
export function compileHttpRbac(message: HttpRbac, path: string, problems: ProblemList): RbacConfig {
  return {
    rules: compileRules(message.rules, 'request', `${path}.rules`, problems),
    shadowRules: compileRules(message.shadowRules, 'request', `${path}.shadow_rules`, problems),
    statPrefix: statPrefix(message.rulesStatPrefix),
    shadowStatPrefix: statPrefix(message.shadowRulesStatPrefix),
    tracksPolicies: message.trackPerRuleStats,
  };
}

/** Compiles `extensions.filters.network.rbac.v3.RBAC`, whose policies see no request. */
export function compileNetworkRbac(message: NetworkRbac, path: string, problems: ProblemList): RbacConfig {
  return {
    rules: compileRules(message.rules, 'connection', `${path}.rules`, problems),
    shadowRules: compileRules(message.shadowRules, 'connection', `${path}.shadow_rules`, problems),
    statPrefix: '',
    shadowStatPrefix: statPrefix(message.shadowRulesStatPrefix),
    tracksPolicies: false,
  };
}

/** Envoy puts the dot behind it where it isn't there yet, and leaves it out of the label. */
export function statPrefix(text: string): string {
  return text.endsWith('.') ? text.slice(0, -1) : text;
}

const actions: Readonly<Record<number, RbacAction>> = {
  [Action.ALLOW]: 'allow',
  [Action.DENY]: 'deny',
  [Action.LOG]: 'log',
};

/** Null where there are no rules, which is not the same as rules without policies. */
function compileRules(
  message: RulesMessage | undefined,
  subject: RbacSubject,
  path: string,
  problems: ProblemList,
): RbacRules | null {
  if (message === undefined) return null;
  const action = actions[message.action];
  if (action === undefined) problems.invalid(`${path}.action`, 'is no known value');
  const policies = Object.entries(message.policies)
    .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .flatMap(([name, policy]) => {
      const place = `${path}.policies[${name}]`;
      return compilePolicy(name, policy, subject, place, problems) ?? [];
    });
  return new RbacRules(action ?? 'deny', policies);
}

function compilePolicy(
  name: string,
  { permissions, principals }: Policy,
  subject: RbacSubject,
  path: string,
  problems: ProblemList,
): RbacPolicy | null {
  if (permissions.length === 0) problems.invalid(`${path}.permissions`, 'must not be empty');
  if (principals.length === 0) problems.invalid(`${path}.principals`, 'must not be empty');
  const permission = permissions.map((rule, index) =>
    compilePermission(rule, subject, `${path}.permissions[${index}]`, problems),
  );
  const principal = principals.map((id, index) =>
    compilePrincipal(id, subject, `${path}.principals[${index}]`, problems),
  );
  if (!isComplete(permission) || !isComplete(principal)) return null;
  return new RbacPolicy(name, anyOf(permission), anyOf(principal));
}
