// Hot path: once per answer of the proxy's own to a gRPC call.
import type { FieldList } from '../codec/field-list.ts';
import { Field } from '../codec/field.ts';
import { grpcContentType } from './content-type.ts';
import { encodeGrpcMessage } from './message-encoding.ts';
import { GrpcStatus, grpcStatusOfHttp, lastKnownStatus } from './status.ts';

/** The HTTP status of every answer to a gRPC call. */
export const grpcReplyStatus = 200;

const contentType = new Field('content-type', grpcContentType);
const statuses = Array.from(
  { length: lastKnownStatus + 1 },
  (_, code) => new Field('grpc-status', String(code)),
);

/**
 * Adds to `into` what makes an answer of the proxy's own one that gRPC clients understand: it goes out with HTTP status 200,
 * all of it in the head ("Trailers-Only"), in place of a body, its type and its length. `httpStatus` and `body` are those of
 * the answer that others would get; `grpcStatus` is -1 where it follows from the HTTP status.
 */
export function addGrpcReply(
  into: FieldList,
  httpStatus: number,
  body: string,
  grpcStatus: number,
  isHead: boolean,
): void {
  into.add(contentType);
  // What says itself how the call ends (a field that the route adds) is left alone.
  if (!into.has('grpc-status'))
    into.add(
      statuses[grpcStatus < 0 ? grpcStatusOfHttp(httpStatus) : grpcStatus] ?? statuses[GrpcStatus.unknown]!,
    );
  if (body !== '' && !isHead) into.add(new Field('grpc-message', encodeGrpcMessage(body)));
}
