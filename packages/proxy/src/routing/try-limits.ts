/** How long one try of a request may take. Times are milliseconds, 0 for any. */
export interface TryLimits {
  /** `per_try_timeout`: from when the whole request has been sent to the response's head. */
  readonly timeoutMs: number;
  /** `per_try_idle_timeout`: without a byte in either direction. */
  readonly idleTimeoutMs: number;
}
