import type { HttpRule } from '../schema/virtual-service.ts';
import { wholeMs } from './compile-action.ts';
import type { FaultRule } from './route-model.ts';

/** gRPC's statuses by name; the number is the place. */
export const grpcStatusNames: readonly string[] = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** Null where nothing happens to any request. */
export function compileFault({ fault }: HttpRule): FaultRule | null {
  const delay = compileDelay(fault?.delay);
  const abort = compileAbort(fault?.abort);
  return delay === null && abort === null ? null : { delay, abort };
}

type Fault = NonNullable<HttpRule['fault']>;

function compileDelay(delay: Fault['delay']): FaultRule['delay'] {
  if (delay?.fixedDelay === undefined) return null;
  const percent = delay.percentage === undefined ? (delay.percent ?? 0) : (delay.percentage.value ?? 0);
  return percent === 0 ? null : { ms: wholeMs(delay.fixedDelay), percent };
}

function compileAbort(abort: Fault['abort']): FaultRule['abort'] {
  const percent = abort?.percentage?.value ?? 0;
  if (abort === undefined || percent === 0) return null;
  if (abort.httpStatus !== undefined) return { kind: 'http', status: abort.httpStatus, percent };
  const status = grpcStatusNames.indexOf(abort.grpcStatus ?? '');
  return status < 0 ? null : { kind: 'grpc', status, percent };
}
