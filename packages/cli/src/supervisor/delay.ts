import type { Clock } from '@heddle/base';

/** Waits for `delayMs`, or less when the signal is aborted first. Never rejects. */
export async function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.setTimer(delayMs, resolve);
  const onAbort = (): void => resolve();
  signal?.addEventListener('abort', onAbort, { once: true });
  await promise;
  timer.cancel();
  signal?.removeEventListener('abort', onAbort);
}

/** Waits for `promise`, but no longer than `timeoutMs`; undefined when the time was up first. */
export async function within<T>(
  clock: Clock,
  timeoutMs: number,
  promise: Promise<T>,
): Promise<T | undefined> {
  const expired = Promise.withResolvers<undefined>();
  const timer = clock.setTimer(timeoutMs, () => expired.resolve(undefined));
  try {
    return await Promise.race([promise, expired.promise]);
  } finally {
    timer.cancel();
  }
}
