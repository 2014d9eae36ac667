import type { ConnectionLimit } from '@heddle/xds/api/envoy/extensions/filters/network/connection_limit/v3/connection_limit.ts';
import { durationMs } from './duration.ts';
import type { ConnectionLimitConfig } from './listener-config.ts';
import type { ProblemList } from './problem-list.ts';

/** Compiles a `connection_limit` filter that stands at `path`. */
export function compileConnectionLimit(
  { statPrefix, maxConnections, delay }: ConnectionLimit,
  path: string,
  problems: ProblemList,
): ConnectionLimitConfig {
  if (statPrefix === '') problems.invalid(`${path}.stat_prefix`, 'must not be empty');
  if (maxConnections === undefined || maxConnections < 1)
    problems.invalid(`${path}.max_connections`, 'must be at least 1');
  return {
    statPrefix,
    maxConnections: maxConnections ?? 0,
    delayMs: durationMs(delay, 0, `${path}.delay`, problems),
  };
}
