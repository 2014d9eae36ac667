// How a call has ended, for whoever made it.
import { RpcCode, type RpcStatus } from '@heddle/xds';
import type { FieldList } from '../../codec/field-list.ts';
import { ResetCause, type StreamReset } from '../../http2/stream-handler.ts';
import { isGrpcContentType } from '../content-type.ts';
import { grpcStatusOfHttp, parseGrpcStatus } from '../status.ts';
import type { FramingError } from '@heddle/xds/message-framing';

/** Calls of a peer whose bytes are no messages. */
export const framingStatus: Readonly<Record<FramingError, RpcStatus>> = {
  compressed: {
    code: RpcCode.internal,
    message: 'The server sent a compressed message, which was not offered.',
  },
  'too-large': {
    code: RpcCode.resourceExhausted,
    message: 'The server sent a message larger than the limit.',
  },
};

export const cutOff: RpcStatus = {
  code: RpcCode.internal,
  message: 'The server ended in the middle of a message.',
};

export const withoutStatus: RpcStatus = {
  code: RpcCode.unknown,
  message: 'The server ended the call without a status.',
};

/** Reads the status out of trailers, or out of the head of an answer that has nothing else; null where there is none. */
export function statusOfTrailers(fields: FieldList): RpcStatus | null {
  const code = fields.value('grpc-status');
  if (code === null) return null;
  return { code: parseGrpcStatus(code), message: decodeMessageText(fields.value('grpc-message') ?? '') };
}

/** The status of an answer whose head says that it is no gRPC; null where it is in order. */
export function statusOfHead(fields: FieldList): RpcStatus | null {
  const status = Number(fields.value(':status'));
  if (status !== 200) {
    return {
      code: grpcStatusOfHttp(status),
      message: `The server answered with HTTP status ${status}.`,
    };
  }
  if (isGrpcContentType(fields.value('content-type'))) return null;
  return { code: RpcCode.unknown, message: 'The server answered with something that is not gRPC.' };
}

/** The status of a call whose stream was cut off. It may be made again: none of these says that the server won't have it. */
export function statusOfReset({ cause, code, detail }: StreamReset): RpcStatus {
  return { code: RpcCode.unavailable, message: messageOfReset(cause, code, detail) };
}

function messageOfReset(cause: number, code: number, detail: string): string {
  switch (cause) {
    case ResetCause.remote:
      return `The server cut the call off (reset code ${code}).`;
    case ResetCause.refused:
      return 'The server has not looked at the call.';
    case ResetCause.connectionLost:
      return `The connection ended before the call did: ${detail}.`;
    default:
      return `This side gave the connection up: ${detail}.`;
  }
}

/** `grpc-message` is percent-encoded; what is not validly so is shown as it came. */
function decodeMessageText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
