import type { ConfigSource } from '@heddle/xds/api/envoy/config/core/v3/config_source.ts';
import type { ProblemList } from './problem-list.ts';

/** Refuses every source of configuration but the one stream that all of it comes by. */
export function checkConfigSource(
  source: ConfigSource | undefined,
  path: string,
  problems: ProblemList,
): void {
  const specifier = source?.configSourceSpecifier;
  if (specifier?.$case === 'apiConfigSource')
    problems.unsupported(`${path}.api_config_source`, undefined, 'use ads');
  else if (specifier === undefined) problems.invalid(path, 'needs ads');
}
