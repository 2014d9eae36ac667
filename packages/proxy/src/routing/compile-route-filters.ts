import type { Any } from '@heddle/xds/api/google/protobuf/any.ts';
import type { ProblemList } from '../config/problem-list.ts';

/** What `typed_per_filter_config` at `path` says to the filters of the connection manager, by their names there. */
export function compileRouteFilters(
  configs: Readonly<Record<string, Any>>,
  path: string,
  problems: ProblemList,
): void {
  for (const name of Object.keys(configs)) problems.unsupported(`${path}.typed_per_filter_config[${name}]`);
}
