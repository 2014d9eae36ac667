/** The filters of every listener that requests go out by: they do nothing by themselves, routes tell them what to do. */
import type { CorsRule, FaultRule } from '@heddle/model';
import { type DeepPartial, packAny, TypeUrl } from '@heddle/xds';
import type { HttpFilter } from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { duration, fraction } from './route-action.ts';
import { compileText } from './route-match.ts';

type Any = ReturnType<typeof packAny>;

/** By which routes speak to the filters. */
const names = { fault: 'envoy.filters.http.fault', cors: 'envoy.filters.http.cors' };

export const outboundFilters: readonly DeepPartial<HttpFilter>[] = [
  { name: names.fault, configType: { $case: 'typedConfig', value: packAny(TypeUrl.httpFault, {}) } },
  { name: names.cors, configType: { $case: 'typedConfig', value: packAny(TypeUrl.cors, {}) } },
];

/** What a route tells them. */
export function filterConfigs(fault: FaultRule | null, cors: CorsRule | null): Record<string, Any> {
  return {
    ...(fault === null ? {} : { [names.fault]: faultConfig(fault) }),
    ...(cors === null ? {} : { [names.cors]: corsConfig(cors) }),
  };
}

function corsConfig(cors: CorsRule): Any {
  const { maxAgeSeconds, allowsCredentials } = cors;
  return packAny(TypeUrl.corsPolicy, {
    allowOriginStringMatch: cors.origins.map(compileText),
    allowMethods: cors.allowMethods.join(','),
    allowHeaders: cors.allowHeaders.join(','),
    exposeHeaders: cors.exposeHeaders.join(','),
    ...(maxAgeSeconds === null ? {} : { maxAge: String(maxAgeSeconds) }),
    ...(allowsCredentials === null ? {} : { allowCredentials: allowsCredentials }),
    forwardNotMatchingPreflights: cors.forwardsOthers,
  });
}

function faultConfig({ delay, abort }: FaultRule): Any {
  return packAny(TypeUrl.httpFault, {
    ...(delay === null
      ? {}
      : {
          delay: {
            faultDelaySecifier: { $case: 'fixedDelay', value: duration(delay.ms) },
            percentage: fraction(delay.percent),
          },
        }),
    ...(abort === null
      ? {}
      : {
          abort: {
            errorType: { $case: abort.kind === 'http' ? 'httpStatus' : 'grpcStatus', value: abort.status },
            percentage: fraction(abort.percent),
          },
        }),
  });
}
