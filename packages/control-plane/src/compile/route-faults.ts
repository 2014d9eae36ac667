/** Faults on purpose: the filter of every listener that requests go out by, which routes tell what to do. */
import type { FaultRule } from '@heddle/model';
import { type DeepPartial, packAny, TypeUrl } from '@heddle/xds';
import type { HttpFilter } from '@heddle/xds/api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.ts';
import { duration, fraction } from './route-action.ts';

/** By which routes speak to the filter. */
export const faultFilterName = 'envoy.filters.http.fault';

/** It does nothing by itself. */
export const faultFilter: DeepPartial<HttpFilter> = {
  name: faultFilterName,
  configType: { $case: 'typedConfig', value: packAny(TypeUrl.httpFault, {}) },
};

/** What a route tells the filter. */
export function faultConfig({ delay, abort }: FaultRule): ReturnType<typeof packAny> {
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
