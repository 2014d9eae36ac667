// Hot path.
import type { LocalReply } from '../../http/response-flags.ts';
import type { Connection } from '../../transport/transport.ts';
import type { RbacConfig } from './rbac-config.ts';
import type { RbacRequest } from './rbac-matcher.ts';
import type { RbacMetrics } from './rbac-metrics.ts';
import { denialByNone } from './rbac-rules.ts';

/**
 * Tries out the policies of the dry run, decides by the others and counts both. Null where the request, or the connection
 * where `request` is null, may pass; else what it gets.
 */
export function enforce(
  { rules, shadowRules, tracksPolicies }: RbacConfig,
  connection: Connection,
  request: RbacRequest | null,
  metrics: RbacMetrics,
): LocalReply | null {
  if (shadowRules !== null) {
    const matched = shadowRules.match(connection, request);
    metrics.countShadow(shadowRules.allows(matched), tracksPolicies && matched !== null ? matched.name : '');
  }
  if (rules === null) return null;
  const matched = rules.match(connection, request);
  const isAllowed = rules.allows(matched);
  metrics.countEnforced(isAllowed, tracksPolicies && matched !== null ? matched.name : '');
  if (isAllowed) return null;
  return matched === null ? denialByNone : matched.denial;
}
