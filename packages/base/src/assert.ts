/** A broken invariant: a bug of ours, never a user's or a peer's mistake. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws where an invariant is broken. Kept in production: the connection dies with the reason logged, never the process. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Ends every `switch` over a closed list: the compiler proves that no case is missing. */
export function assertNever(value: never): never {
  throw new InvariantError(`unexpected value ${String(value)}`);
}
