// What the server side of HTTP/1.1 asks of those who use it.
import type { Clock, Random, TimerWheel } from '@heddle/base';
import type { TransportError } from '../transport/transport.ts';
import type { RequestHead } from './request-head.ts';

/**
 * What serves the requests of one connection: one object per connection, told of one request after the other. Calls are
 * synchronous. The bytes of `onRequestBody` are valid during the call only; chunked bodies come with their framing.
 */
export interface ServerExchange {
  onRequestHead(head: RequestHead): void;
  onRequestBody(buffer: Buffer, start: number, end: number): void;
  onRequestEnd(): void;
  /** The client takes bytes again, after `writeBody` had answered false. */
  onResponseDrain(): void;
  /** The connection is gone while a response was owed. */
  onClientGone(error: TransportError | null): void;
  /** The connection is gone, whatever was owed; the last call. Timers that would keep its memory are to be given up. */
  onConnectionClosed(): void;
  /** A request could not be understood: answered with `status` by the connection, which closes. For metrics and logs. */
  onRejected(status: number, detail: string): void;
}

/** Limits and timeouts of a listener's connections, with Envoy's names and defaults. */
export interface ServerLimits {
  /** `max_request_headers_kb` in bytes. */
  readonly maxHeadBytes: number;
  /** `max_headers_count`. */
  readonly maxFields: number;
  /** `idle_timeout`: between requests; 0 for none. */
  readonly idleTimeoutMs: number;
  /** `request_headers_timeout`: from the first byte of a head to its last; 0 for none. */
  readonly headTimeoutMs: number;
}

/** Whether clients are asked to go elsewhere: asked once per response. */
export interface DrainPolicy {
  /** Whether this response is to be the connection's last. */
  shouldClose(): boolean;
}

/** For what is never drained. */
export const neverDrains: DrainPolicy = { shouldClose: () => false };

export interface ServerContext {
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: TimerWheel;
}
