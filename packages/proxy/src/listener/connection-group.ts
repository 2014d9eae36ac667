import type { LoggedEntry } from '../access-log/access-log-filter.ts';
import type { AcceptHandler, Connection } from '../transport/transport.ts';

/** Told of the connections of a group, for the counts and logs of its listener. */
export interface ConnectionObserver {
  /** `entry`: what an access log says of it, where its group knows more than the connection does. */
  onClosed(connection: Connection, lengthMs: number, entry: LoggedEntry | null): void;
  /** Whether anybody reads the entries. */
  readonly hasAccessLogs: boolean;
}

/** What serves the connections of one filter chain: they are drained together and closed together. */
export interface ConnectionGroup {
  /** Open connections. */
  readonly size: number;
  /** Those that are in the middle of something: an exchange, a relayed byte stream. */
  readonly busy: number;
  /** Takes an accepted connection; a secured one when it is verified, `begin` having been called when it came. */
  readonly accept: AcceptHandler;
  /** Counts a connection that is not given to `accept` at once: TLS comes first, or there is no room for it. */
  begin(isSecured: boolean): void;
  /** A connection that has begun will not be given to `accept`; the observer is not told. */
  abandon(isSecured: boolean, closedHere: boolean, lengthMs: number): void;
  /** Closes what is idle and lets the rest come to its end. Connections that come later end as soon as they can. */
  drain(): void;
  /** Asks those to go whom the drain that runs wants gone by now, such that nothing is lost; to be repeated. */
  dismiss(): void;
  /** Resolves when no connection is open any more. */
  whenEmpty(): Promise<void>;
  /** Drops everything at once. */
  destroy(): void;
}
