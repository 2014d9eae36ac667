// The filters that enforce a workload's AuthorizationPolicies.
import type { AuthorizationPolicy } from '@heddle/model';
import { type DeepPartial, packAny, TypeUrl } from '@heddle/xds';
import { type RBAC, RBAC_Action as Action } from '@heddle/xds/api/envoy/config/rbac/v3/rbac.ts';
import type { Filter } from '@heddle/xds/api/envoy/config/listener/v3/listener_components.ts';
import type { HttpFilter } from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { authorizationRules, type Place } from './authorization-rules.ts';

/** What one filter enforces and what it only counts. */
interface Step {
  readonly rules: DeepPartial<RBAC> | undefined;
  readonly shadowRules: DeepPartial<RBAC> | undefined;
  readonly shadowRulesStatPrefix: string;
}

/** In the order in which they are asked: whoever denies comes before whoever allows. */
const steps = [
  // Nobody can be asked yet, so that who would have to ask is denied.
  { action: 'CUSTOM', as: Action.DENY, shadow: 'istio_dry_run_custom_' },
  { action: 'AUDIT', as: Action.LOG, shadow: 'istio_dry_run_audit_' },
  { action: 'DENY', as: Action.DENY, shadow: 'istio_dry_run_deny_' },
  { action: 'ALLOW', as: Action.ALLOW, shadow: 'istio_dry_run_allow_' },
] as const;

/** Policies with this annotation are only counted. */
const dryRun = 'istio.io/dry-run';

export function isDryRun({ metadata }: AuthorizationPolicy): boolean {
  return ['1', 't', 'true'].includes((metadata.annotations?.[dryRun] ?? '').toLowerCase());
}

/** For the requests of a connection manager; they stand before all other filters. */
export function requestAuthorization(
  policies: readonly AuthorizationPolicy[],
  place: Omit<Place, 'subject'>,
): DeepPartial<HttpFilter>[] {
  return stepsOf(policies, { ...place, subject: 'request' }).map((step) => ({
    name: 'envoy.filters.http.rbac',
    configType: { $case: 'typedConfig', value: packAny(TypeUrl.httpRbac, step) },
  }));
}

/** For connections; they stand before the filter that ends the chain. */
export function connectionAuthorization(
  policies: readonly AuthorizationPolicy[],
  place: Omit<Place, 'subject'>,
): DeepPartial<Filter>[] {
  return stepsOf(policies, { ...place, subject: 'connection' }).map((step) => ({
    name: 'envoy.filters.network.rbac',
    configType: {
      $case: 'typedConfig',
      value: packAny(TypeUrl.networkRbac, { ...step, statPrefix: 'tcp.' }),
    },
  }));
}

function stepsOf(policies: readonly AuthorizationPolicy[], place: Place): Step[] {
  return steps.flatMap(({ action, as, shadow }): Step[] => {
    const ours = policies.filter(({ spec }) => (spec.action ?? 'ALLOW') === action);
    const [counted, enforced] = [ours.filter(isDryRun), ours.filter((policy) => !isDryRun(policy))];
    if (ours.length === 0) return [];
    return [
      {
        // No policy that allows is not the same as one without rules.
        rules: enforced.length === 0 ? undefined : authorizationRules(enforced, as, place),
        shadowRules: counted.length === 0 ? undefined : authorizationRules(counted, as, place),
        shadowRulesStatPrefix: counted.length === 0 ? '' : shadow,
      },
    ];
  });
}
