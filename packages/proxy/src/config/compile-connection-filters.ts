import { TypeUrl } from '@heddle/xds';
import { RBAC_EnforcementType as Enforcement } from '@heddle/xds/api/envoy/extensions/filters/network/rbac/v3/rbac.ts';
import type { Any } from '@heddle/xds/api/google/protobuf/any.ts';
import type { ConnectionFilterSettings } from '../policy/connection-filter-config.ts';
import { compileNetworkRbac, statPrefix } from '../policy/rbac/compile-rbac.ts';
import type { ProblemList } from './problem-list.ts';
import { unpackConfig } from './unpack-config.ts';

/** Compiles `envoy.filters.network.rbac`, whose configuration stands at `path`; null with problems noted. */
export function compileConnectionRbac(
  config: Any,
  path: string,
  problems: ProblemList,
): ConnectionFilterSettings | null {
  const message = unpackConfig(config, TypeUrl.networkRbac, path, problems);
  if (message === null) return null;
  if (message.statPrefix === '') problems.invalid(`${path}.stat_prefix`, 'must not be empty');
  const { enforcementType: type } = message;
  // Nothing that policies on connections look at changes while one lives: deciding again would decide the same.
  if (type !== Enforcement.ONE_TIME_ON_FIRST_BYTE && type !== Enforcement.CONTINUOUS)
    problems.invalid(`${path}.enforcement_type`, 'is no known value');
  return {
    kind: 'rbac',
    statPrefix: statPrefix(message.statPrefix),
    rbac: compileNetworkRbac(message, path, problems),
  };
}
