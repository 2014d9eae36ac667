import type { FilterConfig } from '@heddle/xds/api/envoy/extensions/filters/http/grpc_stats/v3/config.ts';
import type { GrpcMethodList } from '@heddle/xds/api/envoy/config/core/v3/grpc_method_list.ts';
import type { GrpcStatsRules } from '../grpc/call-metrics.ts';
import type { ProblemList } from './problem-list.ts';

/** Compiles the filter `envoy.filters.http.grpc_stats` that stands at `path`. */
export function compileGrpcStats(message: FilterConfig, path: string, problems: ProblemList): GrpcStatsRules {
  if (message.emitFilterState) problems.unsupported(`${path}.emit_filter_state`);
  const specifier = message.perMethodStatSpecifier;
  return {
    methods:
      specifier?.$case === 'individualMethodStatsAllowlist'
        ? allowedMethods(specifier.value, `${path}.individual_method_stats_allowlist`, problems)
        : specifier?.value === true
          ? 'all'
          : new Set(),
    timesUpstream: message.enableUpstreamStats,
    replacesDots: message.replaceDotsInGrpcServiceName,
  };
}

function allowedMethods(list: GrpcMethodList, path: string, problems: ProblemList): Set<string> {
  const methods = new Set<string>();
  for (const [index, { name, methodNames }] of list.services.entries()) {
    const place = `${path}.services[${index}]`;
    if (name === '') problems.invalid(`${place}.name`, 'must not be empty');
    if (methodNames.length === 0) problems.invalid(`${place}.method_names`, 'must not be empty');
    for (const method of methodNames) methods.add(`/${name}/${method}`);
  }
  return methods;
}
