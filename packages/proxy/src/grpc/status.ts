// Hot path.
// gRPC's status codes and how HTTP's become them.

/** Those that the proxy itself gives or asks for (https://grpc.io/docs/guides/status-codes/). */
export const GrpcStatus = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  deadlineExceeded: 4,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** The highest code that gRPC defines; services may use others. */
export const lastKnownStatus = 16;

/** `grpc-status` as a number. What is none is `unknown`, as it is for clients. */
export function parseGrpcStatus(value: string): number {
  if (value.length === 0 || value.length > 10) return GrpcStatus.unknown;
  let code = 0;
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return GrpcStatus.unknown;
    code = code * 10 + digit;
  }
  return code;
}

/** The status that an HTTP status stands for where nothing else is said. */
export function grpcStatusOfHttp(status: number): number {
  switch (status) {
    case 400:
      return GrpcStatus.internal;
    case 401:
      return GrpcStatus.unauthenticated;
    case 403:
      return GrpcStatus.permissionDenied;
    case 404:
      return GrpcStatus.unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return GrpcStatus.unavailable;
    default:
      return GrpcStatus.unknown;
  }
}

/**
 * How a call has ended: by its trailers, else by its response's head, else by the HTTP status; -1 where there was no response.
 * Fields that are absent are null; an empty one says nothing either.
 */
export function callStatus(trailer: string | null, header: string | null, httpStatus: number): number {
  if (trailer !== null && trailer !== '') return parseGrpcStatus(trailer);
  if (header !== null && header !== '') return parseGrpcStatus(header);
  return httpStatus === 0 ? -1 : grpcStatusOfHttp(httpStatus);
}
