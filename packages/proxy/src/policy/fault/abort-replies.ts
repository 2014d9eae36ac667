import type { LocalReply } from '../../http/response-flags.ts';

const common = { flag: 'FI', details: 'fault_filter_abort', body: 'fault filter abort' };

/** What an aborted request is answered. */
export function abortReply(status: number): LocalReply {
  return { ...common, status };
}

/** The same with a status of gRPC; who is no client of gRPC gets 200, as from Envoy. */
export function grpcAbortReply(grpcStatus: number): LocalReply {
  return { ...common, status: 200, grpcStatus };
}
