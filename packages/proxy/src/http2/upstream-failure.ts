import type { FailureKind, UpstreamFailure } from '../codec/client-stream.ts';
import { Faults } from './connection-fault.ts';
import { ErrorCode } from './error-code.ts';
import { ResetCause, type StreamReset } from './stream-handler.ts';

/** What it means to an exchange that its stream was cut off; kinds are chosen as Envoy does. */
export function upstreamFailure(reset: StreamReset, beforeResponse: boolean): UpstreamFailure {
  return { kind: kindOf(reset), detail: reset.detail, beforeResponse };
}

function kindOf({ cause, code, detail }: StreamReset): FailureKind {
  switch (cause) {
    case ResetCause.remote:
      return 'remote-reset';
    case ResetCause.refused:
      return 'refused';
    case ResetCause.connectionLost:
      return 'connection-termination';
    case ResetCause.connectionError:
      return detail === Faults.keepaliveTimeout.detail ? 'connection-termination' : 'protocol-error';
    default:
      return code === ErrorCode.protocolError ? 'protocol-error' : 'local-reset';
  }
}
