// Hot path.
import type { ClientStream } from '../codec/client-stream.ts';
import {
  ExchangeEnding,
  type UpstreamConnection,
  type UpstreamConnectionOwner,
} from '../codec/upstream-connection.ts';
import { invariant } from '@heddle/base';
import type { Connection, TransportError } from '../transport/transport.ts';
import { Http2ClientConnection } from './client-connection.ts';
import { type ClientStreamOwner, Http2ClientStream } from './client-stream.ts';
import { type ConnectionFault, Faults } from './connection-fault.ts';
import type { Http2ClientOwner, Http2Context, Http2Settings } from './connection-owner.ts';
import { ResetCause, type StreamReset } from './stream-handler.ts';

/** What is known of a peer beforehand, and remembered for its next connection. */
export interface PeerExpectation {
  /** Streams that it is expected to take until it has said so. */
  readonly expectedStreams: number;
  /** It has said how many. */
  sawLimit(streams: number): void;
}

/** So many streams are kept for the next requests. */
const maxSpare = 128;

/** A connection of HTTP/2 among those of a pool. */
export class Http2UpstreamConnection implements UpstreamConnection, Http2ClientOwner, ClientStreamOwner {
  readonly handler: Http2ClientConnection;
  readonly takesUpgradeBodies = false;
  requestCount = 0;
  localAddress = '';
  isClosedHere = false;
  wasBusy = false;
  wasToldToClose = false;
  hasBrokenProtocol = false;
  private readonly owner: UpstreamConnectionOwner;
  private readonly peer: PeerExpectation;
  private transport: Connection | null = null;
  /** What the peer takes at once, as far as it has said so or shown it. */
  private streamLimit: number;
  private isDraining = false;
  /** Streams whose exchanges have been told something, of which more is to come. */
  private readonly unfinished: Http2ClientStream[] = [];
  /** Streams that are over, for the next requests. */
  private readonly spare: Http2ClientStream[] = [];
  /** Streams whose heads wait for the peer's SETTINGS. */
  private readonly held: Http2ClientStream[] = [];

  constructor(
    owner: UpstreamConnectionOwner,
    settings: Http2Settings,
    context: Http2Context,
    peer: PeerExpectation,
  ) {
    this.owner = owner;
    this.peer = peer;
    this.streamLimit = peer.expectedStreams;
    this.handler = new Http2ClientConnection(this, settings, context);
  }

  // UpstreamConnection

  get openStreams(): number {
    return this.handler.openStreams;
  }

  get takesStream(): boolean {
    const { handler } = this;
    if (!handler.isConnected || handler.isGoingAway) return false;
    return handler.openStreams < Math.min(this.streamLimit, handler.maxStreams);
  }

  get refusesUpgrades(): boolean {
    return this.handler.takesExtendedConnect === false;
  }

  attach(connection: Connection): void {
    this.transport = connection;
    this.handler.attach(connection);
  }

  openStream(): ClientStream {
    const stream = this.spare.pop() ?? new Http2ClientStream(this);
    const opened = this.handler.openStream(stream);
    invariant(opened !== null, 'a stream is opened only where one is taken');
    stream.open(opened, this.requestCount++ > 0);
    return stream;
  }

  drain(): void {
    this.isDraining = true;
    this.handler.drain();
  }

  close(): void {
    this.isClosedHere = true;
    this.handler.destroy();
  }

  // ClientStreamOwner

  get takesUpgrades(): boolean | null {
    return this.handler.takesExtendedConnect;
  }

  holdHead(stream: Http2ClientStream): void {
    this.held.push(stream);
  }

  onResponsePart(stream: Http2ClientStream): void {
    this.unfinished.push(stream);
  }

  onExchangeEnded(reset: StreamReset | null, isComplete: boolean): void {
    if (reset !== null) this.noteReset(reset);
    else if (isComplete && this.streamLimit < this.handler.maxStreams) this.streamLimit++;
    this.owner.onExchangeEnded(endingOf(reset, isComplete));
  }

  onFree(stream: Http2ClientStream): void {
    if (this.spare.length < maxSpare) this.spare.push(stream);
  }

  // Http2ClientOwner

  onConnected(): void {
    const { localAddress, localPort } = this.transport!;
    this.localAddress = `${localAddress}:${localPort}`;
    this.owner.onConnected();
  }

  onSettings(): void {
    this.streamLimit = this.handler.maxStreams;
    this.peer.sawLimit(this.streamLimit);
    for (const stream of this.held.splice(0)) stream.sendHeldHead();
  }

  onReadEnd(): void {
    const { unfinished } = this;
    for (let i = 0; i < unfinished.length; i++) unfinished[i]!.onReadEnd();
    unfinished.length = 0;
  }

  onCapacity(): void {
    // One that takes nothing is of no use, and may never take anything again.
    if (this.streamLimit === 0 && this.openStreams === 0) this.drain();
    else this.owner.onAvailable();
  }

  onGoingAway(): void {
    if (!this.isDraining) this.wasToldToClose = true;
  }

  onFault(fault: ConnectionFault): void {
    this.isClosedHere = true;
    if (fault !== Faults.keepaliveTimeout) this.hasBrokenProtocol = true;
  }

  onGone(error: TransportError | null): void {
    // After GOAWAY, from whichever side, it is this one that closes when the last stream is over.
    if (this.handler.isGoingAway && !this.wasBusy) this.isClosedHere = true;
    this.owner.onGone(error);
  }

  private noteReset({ cause }: StreamReset): void {
    if (cause === ResetCause.connectionLost || cause === ResetCause.connectionError) this.wasBusy = true;
    // It has shown how many it takes: more than that go to another connection, as long as none has ended here.
    else if (cause === ResetCause.refused && !this.handler.isGoingAway) this.streamLimit = this.openStreams;
  }
}

function endingOf(reset: StreamReset | null, isComplete: boolean): number {
  if (reset === null) return isComplete ? ExchangeEnding.over : ExchangeEnding.resetHere;
  switch (reset.cause) {
    case ResetCause.remote:
      return ExchangeEnding.resetByUpstream;
    case ResetCause.local:
    case ResetCause.connectionError:
      return ExchangeEnding.resetHere;
    case ResetCause.refused:
      return ExchangeEnding.over;
    default:
      return ExchangeEnding.lost;
  }
}
