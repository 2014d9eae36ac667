// Hot path.
import type { RouteMatch } from '../routing/route-match.ts';
import type { Connection } from '../transport/transport.ts';
import type { IncomingRequest } from './incoming-request.ts';
import type { LocalReply } from './response-flags.ts';

/**
 * One of a connection manager's filters in force: made when its configuration arrives, asked for every request of every
 * connection, so that it keeps nothing of a request.
 */
export interface HttpFilter {
  /**
   * A request has been routed, and nothing been done yet about what its route says; `route` is null where none is for it.
   * Null lets it go on to the next filter and at last to the router; a reply ends it. `connection` is the one that it came
   * over. `request` is valid during the call.
   */
  onRequest(
    request: IncomingRequest,
    connection: Connection,
    route: RouteMatch<unknown> | null,
  ): LocalReply | null;
}
