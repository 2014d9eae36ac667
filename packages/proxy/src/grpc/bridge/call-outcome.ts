// Hot path of bridged calls.
import type { FieldList } from '../../codec/field-list.ts';

/** The HTTP status of calls that failed. */
const failed = 503;

/** Adds what trailers say of a call to the head of its response, which had `status`. Returns the status of the head that goes out. */
export function addOutcome(status: number, trailers: FieldList, into: FieldList): number {
  let outcome = status;
  for (let i = 0; i < trailers.length; i++) {
    const field = trailers.fields[i]!;
    if (field.name !== 'grpc-status' && field.name !== 'grpc-message') continue;
    into.add(field);
    if (field.name === 'grpc-status' && field.value !== '0') outcome = failed;
  }
  return outcome;
}
