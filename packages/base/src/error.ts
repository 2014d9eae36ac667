/**
 * The only exception that may cross a package's edge. `code` is stable and has a row in docs/reference/errors.md;
 * `message` is one sentence a user can act on and never holds a secret.
 */
export class HeddleError extends Error {
  override readonly name = 'HeddleError';
  readonly code: string;

  constructor(code: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

/** Reads a system error's code (`EADDRINUSE`, `ENOENT`, …) off anything thrown; empty where there is none. */
export function systemErrorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/** The message of anything thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
