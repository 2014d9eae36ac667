import type { IncomingHttpHeaders } from 'node:http2';
import { RpcCode } from '../rpc.ts';
import type { RpcStatus } from '../rpc.ts';

/** gRPC's code for an answer that is not 200 (doc/http-grpc-status-mapping.md). */
const codeOfHttpStatus: Readonly<Record<number, number>> = {
  400: RpcCode.internal,
  401: RpcCode.unauthenticated,
  403: RpcCode.permissionDenied,
  404: RpcCode.unimplemented,
  429: RpcCode.unavailable,
  502: RpcCode.unavailable,
  503: RpcCode.unavailable,
  504: RpcCode.unavailable,
};

/** Reads the status out of trailers, or out of the headers of an answer that has nothing else; null where there is none. */
export function statusFromTrailers(headers: IncomingHttpHeaders): RpcStatus | null {
  const text = headers['grpc-status'];
  if (typeof text !== 'string') return null;
  const code = /^\d{1,3}$/.test(text) ? Number(text) : RpcCode.unknown;
  const message = headers['grpc-message'];
  return { code, message: typeof message === 'string' ? decodeMessageText(message) : '' };
}

/** The status of an answer whose headers say that it is no gRPC; null where they are in order. */
export function statusFromHeaders(headers: IncomingHttpHeaders): RpcStatus | null {
  const status = Number(headers[':status']);
  if (status !== 200) {
    return {
      code: codeOfHttpStatus[status] ?? RpcCode.unknown,
      message: `The server answered with HTTP status ${status}.`,
    };
  }
  const contentType = headers['content-type'];
  if (contentType === undefined || !contentType.startsWith('application/grpc')) {
    return { code: RpcCode.unknown, message: 'The server answered with something that is not gRPC.' };
  }
  return null;
}

/** `grpc-message` is percent-encoded; what is not validly so is shown as it came. */
function decodeMessageText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
