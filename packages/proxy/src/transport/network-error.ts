import type { TransportError } from './transport.ts';

// Frozen failures: a reset under load makes no garbage.
export const resetError: TransportError = Object.freeze({
  kind: 'reset',
  detail: 'connection reset by peer',
});
export const timeoutError: TransportError = Object.freeze({
  kind: 'connect-timeout',
  detail: 'connection timeout',
});

/** What the network did, by the system's name of the error; `message` where it has none. */
export function networkError(code: string, message: string): TransportError {
  if (code === 'ECONNRESET' || code === 'EPIPE') return resetError;
  if (code === 'ECONNREFUSED') return { kind: 'connect-failed', detail: 'connection refused' };
  if (code === 'ETIMEDOUT') return timeoutError;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return { kind: 'connect-failed', detail: `name not resolved (${code})` };
  return { kind: 'connect-failed', detail: code === '' ? message : code };
}

/**
 * What the network did to a connection that was there. Bytes may be missing, whatever it was: who passes them on does not
 * end in order.
 */
export function connectionLost(code: string, message: string): TransportError {
  if (code === 'ECONNRESET' || code === 'EPIPE') return resetError;
  return {
    kind: 'reset',
    detail: code === 'ETIMEDOUT' ? 'connection timed out' : code === '' ? message : code,
  };
}
