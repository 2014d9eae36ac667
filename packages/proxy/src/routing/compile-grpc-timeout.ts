import type { RouteAction } from '@heddle/xds/api/envoy/config/route/v3/route_components.ts';
import { durationMs } from '../config/duration.ts';
import type { ProblemList } from '../config/problem-list.ts';
import type { GrpcTimeoutRules } from '../grpc/timeout-rules.ts';

/** What a route that stands at `path` makes of `grpc-timeout`; null where it makes nothing of it. */
export function compileGrpcTimeout(
  action: RouteAction,
  path: string,
  problems: ProblemList,
): GrpcTimeoutRules | null {
  const time = (name: string, duration: RouteAction['timeout'], fallbackMs: number): number =>
    durationMs(duration, fallbackMs, `${path}.${name}`, problems);
  const maxGrpcMs = time('max_grpc_timeout', action.maxGrpcTimeout, -1);
  const offsetMs = time('grpc_timeout_offset', action.grpcTimeoutOffset, 0);
  const duration = action.maxStreamDuration;
  // As in Envoy, what is said by max_stream_duration takes the place of the other way.
  if (duration !== undefined) {
    const name = 'max_stream_duration.grpc_timeout_header';
    return {
      kind: 'stream',
      maxMs: time(`${name}_max`, duration.grpcTimeoutHeaderMax, -1),
      offsetMs: time(`${name}_offset`, duration.grpcTimeoutHeaderOffset, 0),
    };
  }
  return maxGrpcMs < 0 ? null : { kind: 'response', maxMs: maxGrpcMs, offsetMs };
}
