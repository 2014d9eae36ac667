// AuthorizationPolicies of one action as the rules of an RBAC filter.
import { type AuthorizationPolicy, type AuthorizationRule } from '@heddle/model';
import type { DeepPartial } from '@heddle/xds';
import { type Policy, type RBAC, RBAC_Action as Action } from '@heddle/xds/api/envoy/config/rbac/v3/rbac.ts';
import { type Connectives, combine } from './clause.ts';
import {
  conditionClauses,
  type Enforcement,
  operationClauses,
  sourceClauses,
  type What,
  type Who,
} from './conditions.ts';

const permissions: Connectives<What> = {
  and: (rules) => ({ rule: { $case: 'andRules', value: { rules: [...rules] } } }),
  or: (rules) => ({ rule: { $case: 'orRules', value: { rules: [...rules] } } }),
  not: (rule) => ({ rule: { $case: 'notRule', value: rule } }),
  any: { rule: { $case: 'any', value: true } },
};

const principals: Connectives<Who> = {
  and: (ids) => ({ identifier: { $case: 'andIds', value: { ids: [...ids] } } }),
  or: (ids) => ({ identifier: { $case: 'orIds', value: { ids: [...ids] } } }),
  not: (id) => ({ identifier: { $case: 'notId', value: id } }),
  any: { identifier: { $case: 'any', value: true } },
};

/** Where policies are enforced, but for what each brings along itself. */
export type Place = Omit<Enforcement, 'namespace'>;

/**
 * The rules of policies, by Istio's names for them. A rule that allows and asks for what can't be decided is left out, so
 * that nobody is let in by it; one that denies is for all whom its other conditions fit.
 */
export function authorizationRules(
  policies: readonly AuthorizationPolicy[],
  action: Action,
  place: Place,
): DeepPartial<RBAC> {
  const made: Record<string, DeepPartial<Policy>> = {};
  for (const { metadata, spec } of policies) {
    for (const [index, rule] of (spec.rules ?? []).entries()) {
      const at = { ...place, namespace: metadata.namespace };
      const policy = compileRule(rule, action === Action.ALLOW, at);
      if (policy !== null) made[`ns[${metadata.namespace}]-policy[${metadata.name}]-rule[${index}]`] = policy;
    }
  }
  return { action, policies: made };
}

function compileRule(rule: AuthorizationRule, allows: boolean, at: Enforcement): DeepPartial<Policy> | null {
  const conditions = (rule.when ?? []).map((condition) => conditionClauses(condition, at));
  const who = conditions.flatMap((condition) => condition.who);
  const what = conditions.flatMap((condition) => condition.what);
  const operations = atLeastOne(rule.to).map(({ operation = {} }) => operationClauses(operation, at));
  const sources = atLeastOne(rule.from).map(({ source = {} }) => sourceClauses(source, at));
  const permitted = operations.map((clauses) => combine([...clauses, ...what], allows, permissions));
  const permitting = sources.map((clauses) => combine([...clauses, ...who], allows, principals));
  if (permitted.includes(null) || permitting.includes(null)) return null;
  return { permissions: permitted as What[], principals: permitting as Who[] };
}

/** Nothing said is one that says nothing. */
function atLeastOne<T extends object>(list: readonly T[] | undefined): readonly Partial<T>[] {
  return list === undefined || list.length === 0 ? [{}] : list;
}
