// What a pool and the connections that it keeps ask of each other, whichever codec they speak.
import type { Connection, ConnectionHandler, TransportError } from '../transport/transport.ts';
import type { ClientStream } from './client-stream.ts';

/** How an exchange came to its end, as a cluster counts it. As Envoy does, only streams that share a connection are told apart. */
export const ExchangeEnding = {
  /** It is complete, or has ended with a connection of its own. */
  over: 0,
  /** This side cut the stream off, and the connection goes on. */
  resetHere: 1,
  /** The upstream did. */
  resetByUpstream: 2,
  /** The stream went with its connection. */
  lost: 3,
} as const;

/** A connection to an upstream, as its pool sees it. */
export interface UpstreamConnection {
  /** Whom the byte stream tells what happens, once it is made; `onConnect` is called by the pool. */
  readonly handler: ConnectionHandler;
  /** Requests that it has been given so far. */
  readonly requestCount: number;
  /** Exchanges that it carries now. */
  readonly openStreams: number;
  /** It may carry another one now. */
  readonly takesStream: boolean;
  /** Its peer takes no upgrades. */
  readonly refusesUpgrades: boolean;
  /** Requests that ask for one may have a body. */
  readonly takesUpgradeBodies: boolean;
  /** It was this side that ended the connection. */
  readonly isClosedHere: boolean;
  /** It ended while it carried an exchange. */
  readonly wasBusy: boolean;
  /** It ended because the upstream said so beforehand: `Connection: close`, GOAWAY. */
  readonly wasToldToClose: boolean;
  /** It ended because the upstream's bytes made no sense, or stopped in the middle. */
  readonly hasBrokenProtocol: boolean;
  /** Gives the connection its byte stream. */
  attach(connection: Connection): void;
  /** A way for one exchange, which is begun by `sendHead` before anything else happens. Only where `takesStream`. */
  openStream(): ClientStream;
  /** Takes no further exchange, and closes when it carries none. */
  drain(): void;
  /** Closes the connection; exchanges that it carries fail. */
  close(): void;
}

/** Told about the life of one connection: its pool. */
export interface UpstreamConnectionOwner {
  /** Exchanges may begin. */
  onConnected(): void;
  /** An exchange is over: one of `ExchangeEnding`. What becomes of the connection is told next. */
  onExchangeEnded(ending: number): void;
  /** It may carry another exchange, or carries none any more. */
  onAvailable(): void;
  /** The connection is gone. */
  onGone(error: TransportError | null): void;
}
