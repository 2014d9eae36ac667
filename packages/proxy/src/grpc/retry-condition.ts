// Hot path: `isRetriedStatus` runs per response; everything else once per configuration.
// The conditions of a retry policy that are about gRPC.
import { GrpcStatus, parseGrpcStatus } from './status.ts';

/** Codes by the word that stands for them. */
const codes: ReadonlyMap<string, number> = new Map([
  ['cancelled', GrpcStatus.cancelled],
  ['deadline-exceeded', GrpcStatus.deadlineExceeded],
  ['internal', GrpcStatus.internal],
  ['resource-exhausted', GrpcStatus.resourceExhausted],
  ['unavailable', GrpcStatus.unavailable],
]);

/** The words, for messages about those that are not known. */
export const grpcRetryConditions: readonly string[] = [...codes.keys()];

/** A set of status codes with this one in it, a bit for each; 0 for a word that is no condition of gRPC's. */
export function grpcRetryCondition(word: string): number {
  const code = codes.get(word);
  return code === undefined ? 0 : 1 << code;
}

/**
 * Whether a response is to be tried again for its status. Only `grpc-status` in its head counts: what stands in trailers
 * comes behind a body that the client has already got.
 */
export function isRetriedStatus(retried: number, headStatus: string | null): boolean {
  if (retried === 0 || headStatus === null || headStatus === '') return false;
  const code = parseGrpcStatus(headStatus);
  return code < 32 && ((retried >>> code) & 1) === 1;
}
