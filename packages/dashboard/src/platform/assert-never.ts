/** Ends a `switch` that handles every case; the compiler complains here when one is missing. */
export function assertNever(value: never): never {
  throw new Error(`This case is not handled: ${JSON.stringify(value)}`);
}
