import { TypeUrl } from '@heddle/xds';
import type { Router } from '@heddle/xds/api/envoy/extensions/filters/http/router/v3/router.ts';
import type { HttpFilter } from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import type { Any } from '@heddle/xds/api/google/protobuf/any.ts';
import type { GrpcStatsRules } from '../grpc/call-metrics.ts';
import type { HttpFilterSettings } from '../policy/http-filter-config.ts';
import { compileFault } from '../policy/fault/compile-fault.ts';
import { compileHttpRbac } from '../policy/rbac/compile-rbac.ts';
import { compileGrpcStats } from './compile-grpc-stats.ts';
import type { ProblemList } from './problem-list.ts';
import { refuseExtension, unpackConfig } from './unpack-config.ts';

/** The filters of a connection manager. */
export interface CompiledFilters {
  readonly filters: readonly HttpFilterSettings[];
  /** Null where the filter isn't there. */
  readonly grpcStats: GrpcStatsRules | null;
  /** Null with a problem noted. */
  readonly router: Router | null;
}

/** Compiles `http_filters`, which stand at `path`: the router ends them, since nothing passes it. */
export function compileHttpFilters(
  filters: readonly HttpFilter[],
  path: string,
  problems: ProblemList,
): CompiledFilters {
  const compiled: HttpFilterSettings[] = [];
  let grpcStats: GrpcStatsRules | null = null;
  let router: Router | null = null;
  for (const [index, filter] of filters.entries()) {
    const place = `${path}[${index}]`;
    const isLast = index === filters.length - 1;
    if (filter.configType?.value.typeUrl === TypeUrl.router) {
      if (!isLast) problems.invalid(place, 'nothing can follow the router', 'put it last');
      router = compileRouter(filter, place, problems);
      continue;
    }
    if (filter.configType?.value.typeUrl === TypeUrl.grpcStats) {
      if (grpcStats !== null) problems.invalid(place, 'counts calls once more', 'take it out');
      if (!filter.disabled) grpcStats = grpcStatsRules(filter.configType.value, place, problems);
      continue;
    }
    const settings = compileFilter(filter, place, problems);
    if (settings !== null) compiled.push(settings);
  }
  if (filters.at(-1)?.configType?.value.typeUrl !== TypeUrl.router)
    problems.invalid(path, 'must end with the router, once', 'add envoy.filters.http.router');
  return { filters: compiled, grpcStats, router };
}

/** Calls are counted behind all other filters, wherever it stands. */
function grpcStatsRules(config: Any, path: string, problems: ProblemList): GrpcStatsRules | null {
  const place = `${path}.typed_config`;
  const message = unpackConfig(config, TypeUrl.grpcStats, place, problems);
  return message === null ? null : compileGrpcStats(message, place, problems);
}

function compileRouter(filter: HttpFilter, path: string, problems: ProblemList): Router | null {
  if (filter.disabled) problems.invalid(`${path}.disabled`, 'the router cannot be disabled');
  return unpackConfig(filter.configType!.value, TypeUrl.router, `${path}.typed_config`, problems);
}

/** Null for what is left out, and with problems noted. */
function compileFilter(filter: HttpFilter, path: string, problems: ProblemList): HttpFilterSettings | null {
  const config = filter.configType?.value;
  const place = `${path}.typed_config`;
  const common = { name: filter.name, isDisabled: filter.disabled };
  if (config !== undefined && filter.name === '') problems.invalid(`${path}.name`, 'must not be empty');
  switch (config?.typeUrl) {
    case TypeUrl.httpRbac: {
      const message = unpackConfig(config, TypeUrl.httpRbac, place, problems);
      if (message === null) return null;
      return { kind: 'rbac', ...common, rbac: compileHttpRbac(message, place, problems) };
    }
    case TypeUrl.cors: {
      const message = unpackConfig(config, TypeUrl.cors, place, problems);
      return message === null ? null : { kind: 'cors', ...common };
    }
    case TypeUrl.httpFault: {
      const message = unpackConfig(config, TypeUrl.httpFault, place, problems);
      if (message === null) return null;
      return { kind: 'fault', ...common, fault: compileFault(message, place, problems) };
    }
    case TypeUrl.grpcWeb: {
      const message = unpackConfig(config, TypeUrl.grpcWeb, place, problems);
      return message === null ? null : { kind: 'grpc-web', ...common };
    }
    case TypeUrl.grpcHttp1Bridge: {
      const message = unpackConfig(config, TypeUrl.grpcHttp1Bridge, place, problems);
      if (message === null) return null;
      const { upgradeProtobufToGrpc: upgradesProtobuf, ignoreQueryParameters: ignoresQuery } = message;
      return { kind: 'grpc-http1-bridge', ...common, upgradesProtobuf, ignoresQuery };
    }
    default:
      // An optional filter that isn't known is left out, as in Envoy.
      if (!filter.isOptional) refuseExtension(filter.name, config, path, problems);
      return null;
  }
}
