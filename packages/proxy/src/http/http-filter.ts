// Hot path.
import type { StreamLayer } from '../codec/stream-layer.ts';
import type { RouteMatch } from '../routing/route-match.ts';
import type { Connection } from '../transport/transport.ts';
import type { IncomingRequest } from './incoming-request.ts';
import type { LocalReply } from './response-flags.ts';

/** What a filter can have done with an exchange besides having it answered. */
export interface FilteredExchange {
  /** What the request came by: `HTTP/1.1`. */
  readonly protocol: string;
  /** What of a message may be held in memory. */
  readonly bufferLimitBytes: number;
  /** The request has become something else than a message: there are no bodies to change. */
  readonly isUpgrade: boolean;
  /** The status that the client gets, once there is one. */
  responseCode: number;
  /** Bytes of the bodies as the client sends and gets them: whoever changes a body changes these. */
  bytesReceived: number;
  bytesSent: number;
  /** The request is a gRPC call that came in another form; `layer` changes its bodies, and its response. */
  translateCall(layer: StreamLayer, isWeb: boolean): void;
  /** Has `layer` stand between the client's stream and the exchange; the bodies stay what they are. */
  addLayer(layer: StreamLayer): void;
  /** Holds the request back once the call is over: `filter` is asked again after so many milliseconds. */
  hold(ms: number, filter: HoldingFilter): void;
  /** Gives the request up with an answer; `isUnsent`: nothing of a response that had begun has reached the client. */
  breakOff(reply: LocalReply, isUnsent: boolean): void;
}

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
    exchange: FilteredExchange,
  ): LocalReply | null;
}

/** A filter that has requests wait. */
export interface HoldingFilter extends HttpFilter {
  /** The time is over: null lets the request go on to the next filter. */
  onHeld(request: IncomingRequest, route: RouteMatch<unknown> | null): LocalReply | null;
  /** Called once for every request that it held, when that is over. */
  onHeldEnded(): void;
}
