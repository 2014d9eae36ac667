import type { Connection } from '../transport/transport.ts';

/** One of the network filters that stand before what ends a filter chain: decides whether a connection may stay. */
export interface ConnectionFilter {
  /**
   * A connection has been accepted and, where the chain is secured, its peer verified; nothing of it has been read. Null
   * lets it go on to the next filter; otherwise it is closed, and the answer is why, for logs.
   */
  onConnection(connection: Connection): string | null;
}
