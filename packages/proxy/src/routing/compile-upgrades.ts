import type { RouteAction_UpgradeConfig as UpgradeConfig } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import type { ProblemList } from '../config/problem-list.ts';
import type { UpgradeRules } from './route-match.ts';

/** Compiles a route's `upgrade_configs`; null where there are none. */
export function compileRouteUpgrades(
  configs: readonly UpgradeConfig[],
  path: string,
  problems: ProblemList,
): UpgradeRules | null {
  if (configs.length === 0) return null;
  const rules = new Map<string, 'forward' | 'tunnel' | 'refuse'>();
  for (const [index, config] of configs.entries()) {
    const place = `${path}[${index}]`;
    const name = upgradeName(config.upgradeType, rules, place, problems);
    if (config.connectConfig !== undefined && name !== 'connect') {
      problems.invalid(`${place}.connect_config`, 'goes with the upgrade type CONNECT only');
    }
    if (config.connectConfig?.allowPost === true) problems.unsupported(`${place}.connect_config.allow_post`);
    const isEnabled = config.enabled ?? true;
    rules.set(name, !isEnabled ? 'refuse' : config.connectConfig === undefined ? 'forward' : 'tunnel');
  }
  return rules;
}

/** The key of an upgrade in `UpgradeRules`, checked to be there once. */
export function upgradeName(type: string, rules: UpgradeRules, path: string, problems: ProblemList): string {
  const name = type.toLowerCase();
  if (name === '') problems.invalid(`${path}.upgrade_type`, 'must not be empty');
  if (rules.has(name)) problems.invalid(`${path}.upgrade_type`, `${type} is in this list already`);
  return name;
}
