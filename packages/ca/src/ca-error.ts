import { HeddleError } from '@heddle/base';

/** A failed result that holds an error of the certificate authority. */
export interface Failure {
  readonly ok: false;
  readonly error: HeddleError;
}

/** Makes a failed result. */
export function failure(code: string, message: string, cause?: unknown): Failure {
  return { ok: false, error: new HeddleError(code, message, { cause }) };
}
