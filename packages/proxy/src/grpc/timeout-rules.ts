// Hot path.
// How long a call may take where its caller says so in `grpc-timeout`, and what the next hop is told. All times are
// milliseconds; a caller's deadline of -1 is none.
import { formatGrpcTimeout } from './timeout-header.ts';

/**
 * What a route makes of `grpc-timeout`. `response`: it takes the place of the route's `timeout`, for gRPC calls
 * (`max_grpc_timeout`, `grpc_timeout_offset`). `stream`: the route has a `max_stream_duration`, whose place it takes, for
 * whatever sends it.
 */
export interface GrpcTimeoutRules {
  readonly kind: 'response' | 'stream';
  /** No more of it counts; 0 for all of it, -1 (only of `stream`) where it isn't looked at. */
  readonly maxMs: number;
  /** Taken off, so that the caller is answered before it gives up. */
  readonly offsetMs: number;
}

/**
 * The route's timeout for one request, from the request's end to the response's; 0 for none. A caller that the listener
 * believes (`x-envoy-upstream-rq-timeout-ms`) has the last word, but not here.
 */
export function responseTimeoutMs(
  rules: GrpcTimeoutRules | null,
  routeTimeoutMs: number,
  isGrpc: boolean,
  deadlineMs: number,
): number {
  if (rules === null || rules.kind !== 'response' || !isGrpc) return routeTimeoutMs;
  let timeoutMs = deadlineMs < 0 ? 0 : deadlineMs;
  // A timeout that the offset would use up stays as it is: 0 would be none.
  if (rules.offsetMs < timeoutMs) timeoutMs -= rules.offsetMs;
  return rules.maxMs > 0 && (timeoutMs === 0 || timeoutMs > rules.maxMs) ? rules.maxMs : timeoutMs;
}

/**
 * How long a request may last from its first byte to its response's last; -1 for no limit, and 0 for none of it left.
 * `limitMs` is what the route or else its listener allows, 0 for everything.
 */
export function streamLimitMs(rules: GrpcTimeoutRules | null, limitMs: number, deadlineMs: number): number {
  if (rules === null || rules.kind !== 'stream' || rules.maxMs < 0 || deadlineMs < 0)
    return limitMs > 0 ? limitMs : -1;
  const timeoutMs = rules.maxMs > 0 ? Math.min(deadlineMs, rules.maxMs) : deadlineMs;
  return Math.max(timeoutMs - rules.offsetMs, 0);
}

/**
 * The `grpc-timeout` for the next hop; empty where it goes on as it came. `timeoutMs` is the response timeout in force (0
 * for none), `limitMs` what `streamLimitMs` says. Envoy lets the route's own limit replace a caller's shorter deadline; here
 * nobody behind the proxy is told of more time than the caller has given.
 */
export function forwardedTimeout(
  rules: GrpcTimeoutRules | null,
  isGrpc: boolean,
  deadlineMs: number,
  timeoutMs: number,
  limitMs: number,
): string {
  if (rules === null || !isGrpc) return '';
  if (rules.kind === 'response') return timeoutMs > 0 ? formatGrpcTimeout(timeoutMs) : '';
  if (limitMs < 0 || (deadlineMs >= 0 && deadlineMs < limitMs)) return '';
  return formatGrpcTimeout(limitMs);
}
