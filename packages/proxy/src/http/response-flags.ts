import type { FailureKind } from '../codec/client-stream.ts';
import type { FieldList } from '../codec/field-list.ts';
import { GrpcStatus } from '../grpc/status.ts';
import type { TransportError } from '../transport/transport.ts';

/** Envoy's response flags (`%RESPONSE_FLAGS%`) as far as this proxy sets them, each with its status and details. */
export interface LocalReply {
  readonly status: number;
  readonly flag: string;
  /** `%RESPONSE_CODE_DETAILS%`. */
  readonly details: string;
  /** What the client reads; says why, so that nobody has to guess behind a bare 503. */
  readonly body: string;
  /** For gRPC clients, where it is not the one that stands for `status`. */
  readonly grpcStatus?: number;
  /** An answer of a filter's own, with these fields and without a body. */
  readonly fields?: FieldList;
}

export const LocalReplies = {
  routeNotFound: {
    status: 404,
    flag: 'NR',
    details: 'route_not_found',
    body: 'no route for this host and path',
  },
  noPath: {
    status: 404,
    flag: '-',
    details: 'absolute_path_rejected',
    body: 'the request target is no path',
  },
  badPath: {
    status: 400,
    flag: '-',
    details: 'path_normalization_failed',
    body: 'this listener does not take paths like this one',
  },
  missingHost: {
    status: 400,
    flag: '-',
    details: 'missing_host_header',
    body: 'the request has no Host',
  },
  clusterNotFound: {
    status: 503,
    flag: 'NC',
    details: 'cluster_not_found',
    body: 'the route names a cluster that does not exist',
  },
  noHealthyUpstream: { status: 503, flag: 'UH', details: 'no_healthy_upstream', body: 'no healthy upstream' },
  overflow: {
    status: 503,
    flag: 'UO',
    details: 'upstream_reset_before_response_started{overflow}',
    body: 'upstream connect error or disconnect/reset before headers. reset reason: overflow',
  },
  requestTimeout: { status: 504, flag: 'UT', details: 'response_timeout', body: 'upstream request timeout' },
  tryTimeout: {
    status: 504,
    flag: 'UT',
    details: 'upstream_per_try_timeout',
    body: 'upstream request timeout',
  },
  idleTry: {
    status: 504,
    flag: 'UT',
    details: 'upstream_per_try_idle_timeout',
    body: 'upstream request timeout',
  },
  /** `stream_idle_timeout` while the request is still coming. */
  idleRequest: { status: 408, flag: 'SI', details: 'stream_idle_timeout', body: 'stream timeout' },
  overallTimeout: { status: 408, flag: '-', details: 'request_overall_timeout', body: 'request timeout' },
  maxDuration: {
    status: 504,
    flag: '-',
    details: 'max_duration_timeout',
    body: 'downstream duration timeout',
    grpcStatus: GrpcStatus.deadlineExceeded,
  },
  maxDurationOfRequest: {
    status: 408,
    flag: '-',
    details: 'max_duration_timeout',
    body: 'downstream duration timeout',
    grpcStatus: GrpcStatus.deadlineExceeded,
  },
  tooLarge: {
    status: 413,
    flag: '-',
    details: 'request_payload_too_large',
    body: 'the request body is larger than its route takes',
  },
  /** Where the whole of it has to be held. */
  responseTooLarge: {
    status: 500,
    flag: '-',
    details: 'response_payload_too_large',
    body: 'the response is larger than may be held in memory',
  },
  idleTimeout: { status: 504, flag: 'SI', details: 'stream_idle_timeout', body: 'stream timeout' },
  loopDetected: {
    status: 508,
    flag: 'LR',
    details: 'loop_detected',
    body: 'this host leads back to the proxy that the request came through',
  },
  upgradeNotAllowed: {
    status: 403,
    flag: '-',
    details: 'upgrade_failed',
    body: 'neither the route nor the listener takes this upgrade',
  },
} as const satisfies Record<string, LocalReply>;

/** A reply with one flag more in front of its own, where there is one. */
export function withFlag(flag: string, reply: LocalReply): LocalReply {
  return flag === '' ? reply : { ...reply, flag: `${flag},${reply.flag}` };
}

function reset(status: number, flag: string, reason: string): LocalReply {
  return {
    status,
    flag,
    details: `upstream_reset_before_response_started{${reason}}`,
    body: `upstream connect error or disconnect/reset before headers. reset reason: ${reason.replaceAll('_', ' ')}`,
  };
}

const resets: Readonly<Record<FailureKind, LocalReply>> = {
  'connection-termination': reset(503, 'UC', 'connection_termination'),
  'protocol-error': reset(502, 'UPE', 'protocol_error'),
  'remote-reset': reset(503, 'UR', 'remote_reset'),
  refused: reset(503, 'UR', 'remote_refused_stream_reset'),
  'local-reset': reset(503, 'LR', 'local_reset'),
};

/** The answer where the upstream gave no complete response. */
export function resetReply(kind: FailureKind): LocalReply {
  return resets[kind];
}

/** The answer where no upstream connection came to be: flags and details say how, the body why. */
export function connectFailure(error: TransportError): LocalReply {
  const reason = error.kind === 'connect-timeout' ? 'connection_timeout' : 'remote_connection_failure';
  const words = reason.replaceAll('_', ' ');
  return {
    status: 503,
    flag: 'UF',
    details: `upstream_reset_before_response_started{${reason}|${error.detail.replaceAll(/\s+/g, '_')}}`,
    body: `upstream connect error or disconnect/reset before headers. reset reason: ${words}, transport failure reason: ${error.detail}`,
  };
}
