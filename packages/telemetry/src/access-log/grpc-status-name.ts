// Hot path.

/** Envoy's names of gRPC's status codes, in their order from 0. */
const names: readonly (readonly [camelCase: string, snakeCase: string])[] = [
  ['OK', 'OK'],
  ['Canceled', 'CANCELLED'],
  ['Unknown', 'UNKNOWN'],
  ['InvalidArgument', 'INVALID_ARGUMENT'],
  ['DeadlineExceeded', 'DEADLINE_EXCEEDED'],
  ['NotFound', 'NOT_FOUND'],
  ['AlreadyExists', 'ALREADY_EXISTS'],
  ['PermissionDenied', 'PERMISSION_DENIED'],
  ['ResourceExhausted', 'RESOURCE_EXHAUSTED'],
  ['FailedPrecondition', 'FAILED_PRECONDITION'],
  ['Aborted', 'ABORTED'],
  ['OutOfRange', 'OUT_OF_RANGE'],
  ['Unimplemented', 'UNIMPLEMENTED'],
  ['Internal', 'INTERNAL'],
  ['Unavailable', 'UNAVAILABLE'],
  ['DataLoss', 'DATA_LOSS'],
  ['Unauthenticated', 'UNAUTHENTICATED'],
];

/** The name of a status code, its digits where gRPC has no name for it, empty for a negative one. */
export function grpcStatusName(code: number, spelling: 'camel-case' | 'snake-case'): string {
  if (code < 0) return '';
  const known = names[code];
  if (known === undefined) return String(code);
  return spelling === 'camel-case' ? known[0] : known[1];
}
