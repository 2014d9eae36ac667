// Hot path.

/** The media type of gRPC, and what it begins with where a `+proto` or the like follows. */
export const grpcContentType = 'application/grpc';

const plus = 0x2b;

/**
 * Whether a content type is gRPC's, as Envoy has it: `application/grpc`, or that and a suffix (`+proto`); no parameters, no
 * other case, not gRPC-Web.
 */
export function isGrpcContentType(value: string | null): boolean {
  if (value === null || !value.startsWith(grpcContentType)) return false;
  return value.length === grpcContentType.length || value.charCodeAt(grpcContentType.length) === plus;
}

/**
 * Whether a response is gRPC's. One that ends with its head (`endStream`) is by its `grpc-status` alone; null for fields that
 * are absent.
 */
export function isGrpcResponse(
  status: number,
  contentType: string | null,
  grpcStatus: string | null,
  endStream: boolean,
): boolean {
  return endStream ? grpcStatus !== null : status === 200 && isGrpcContentType(contentType);
}
