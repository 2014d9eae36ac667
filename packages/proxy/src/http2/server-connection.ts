// Hot path.
// An accepted connection: the peer opens streams, this side answers them.
import { type TimerWheelEntry, invariant } from '@heddle/base';
import type { FieldList } from '../codec/field-list.ts';
import { UnderscoreAction } from '../http1/server-settings.ts';
import type { Connection, TransportError } from '../transport/transport.ts';
import { ClosedBy } from './closed-streams.ts';
import { Faults } from './connection-fault.ts';
import type { Http2Context, Http2ServerOwner, Http2Settings } from './connection-owner.ts';
import { contentLengthOf } from './content-length.ts';
import { ErrorCode } from './error-code.ts';
import { maxUint31 } from './frame.ts';
import { HpackError } from './hpack/hpack-error.ts';
import { Http2Connection, Phase } from './http2-connection.ts';
import { Http2Stream, MessageState } from './http2-stream.ts';
import { MessageError, checkRequest } from './message-rules.ts';
import { PrematureResets } from './premature-resets.ts';
import { noHandler } from './stream-handler.ts';
import { dropUnderscoredNames, hasUnderscoredName } from './underscored-names.ts';

/** Says that no more requests are taken, after those that are on their way have had time to arrive (RFC 9113 §6.8). */
const Drain = { none: 0, announced: 1, final: 2 } as const;

/** One accepted connection. */
export class Http2ServerConnection extends Http2Connection implements TimerWheelEntry {
  deadlineMs = -1;
  wheelSlot = -1;
  private readonly server: Http2ServerOwner;
  private readonly resets = new PrematureResets();
  private lastStreamId = 0;
  /** Of those that came behind the last one that we take. */
  private lastIgnoredId = 0;
  private drainState: number = Drain.none;
  private isBusy = false;

  constructor(
    connection: Connection,
    owner: Http2ServerOwner,
    settings: Http2Settings,
    context: Http2Context,
  ) {
    super(owner, settings, context, true);
    this.server = owner;
    this.begin(connection, null);
  }

  /**
   * Asks the peer to go elsewhere: GOAWAY, after `timeoutMs` a final one, then the end once the last stream has closed. What
   * the peer has sent before it heard of it is served.
   */
  drain(timeoutMs: number): void {
    if (this.phase !== Phase.open || this.drainState !== Drain.none) return;
    if (timeoutMs <= 0) {
      this.drainNow();
      return;
    }
    this.drainState = Drain.announced;
    this.sendGoaway(maxUint31, ErrorCode.noError);
    this.context.timers.arm(this, timeoutMs);
  }

  /** True once the peer has been asked to go elsewhere. */
  get isDraining(): boolean {
    return this.drainState !== Drain.none;
  }

  /** TimerWheelEntry: the peer has had its time. */
  onTimeout(): void {
    if (this.phase === Phase.open) this.drainNow();
  }

  // ConnectionHandler

  onConnect(): void {
    invariant(false, 'an accepted connection is told that it connected');
  }

  override onClose(error: TransportError | null): void {
    this.context.timers.disarm(this);
    super.onClose(error);
  }

  // Http2Connection

  sendHeaders(stream: Http2Stream, fields: FieldList, endStream: boolean): void {
    this.sender.sendHead(stream, fields, endStream);
  }

  isIdle(id: number): boolean {
    // Streams of ours there are none.
    return (id & 1) === 0 || (id > this.lastStreamId && id > this.lastIgnoredId);
  }

  onHeaderBlock(
    id: number,
    endStream: boolean,
    fields: FieldList,
    error: number,
    dependsOnItself: boolean,
  ): void {
    const stream = this.findStream(id);
    if (stream !== null) this.takeTrailers(stream, endStream, fields, error);
    else if (id <= this.lastStreamId) this.judgeUnknown(id);
    else if ((id & 1) === 0) this.fail(Faults.badStreamId);
    else if (this.drainState !== Drain.final) this.onRequest(id, endStream, fields, error, dependsOnItself);
    else this.ignore(id);
  }

  onGoaway(): void {
    // Nothing is ever pushed, and streams that the peer has opened go on.
  }

  protected onStreamGone(stream: Http2Stream, wasReset: boolean): void {
    const lifetimeMs = wasReset ? this.now() - stream.openedAtMs : 0;
    this.countGone(wasReset && stream.sent === MessageState.head, lifetimeMs);
  }

  protected onPeerSettings(): void {
    // How many streams it takes is of no interest: none is opened here.
  }

  protected onStreamsLost(): void {
    // All of them are in the table.
  }

  protected lastPeerStream(): number {
    return this.lastStreamId;
  }

  protected closeTransport(): void {
    this.context.timers.disarm(this);
    this.transport!.end();
    this.server.onLingering();
  }

  protected afterFlush(): void {
    const isBusy = this.openStreams > 0;
    if (isBusy !== this.isBusy) {
      this.isBusy = isBusy;
      this.server.onBusyChanged(isBusy);
    }
    if (this.drainState === Drain.final && this.openStreams === 0) this.close();
  }

  /** The peer learns from GOAWAY that this one was not looked at. */
  private ignore(id: number): void {
    this.lastIgnoredId = id;
    this.closedStreams.add(id, ClosedBy.ownReset);
  }

  private drainNow(): void {
    this.drainState = Drain.final;
    this.sendGoaway(this.lastStreamId, ErrorCode.noError);
  }

  private onRequest(
    id: number,
    endStream: boolean,
    fields: FieldList,
    error: number,
    dependsOnItself: boolean,
  ): void {
    const { options } = this.settings;
    this.lastStreamId = id;
    if (this.openStreams >= options.maxConcurrentStreams) {
      this.refuseRequest(id, ErrorCode.refusedStream);
      return;
    }
    if (error !== HpackError.none) {
      this.settings.metrics.headerOverflow.value++;
      this.refuseRequest(id, ErrorCode.internalError);
      return;
    }
    const isMalformed = dependsOnItself || checkRequest(fields, options.allowConnect) !== MessageError.none;
    const contentLength = isMalformed ? -1 : contentLengthOf(fields);
    if (isMalformed || (endStream && contentLength > 0)) {
      if (this.mayReset()) this.refuseRequest(id, ErrorCode.protocolError);
      return;
    }
    if (options.underscores !== UnderscoreAction.allow && !this.takeUnderscores(fields)) {
      this.refuseRequest(id, ErrorCode.internalError);
      return;
    }
    const stream = new Http2Stream(
      this,
      id,
      noHandler,
      this.peer.initialWindowSize,
      this.windows.streamWindow,
      this.now(),
    );
    stream.hasReceived = true;
    stream.received = MessageState.body;
    stream.contentLeft = contentLength;
    this.addStream(stream);
    stream.handler = this.server.onStream(stream);
    if (stream.isClosed) return;
    stream.handler.onHeaders(fields, endStream);
    if (endStream && !stream.isClosed) this.onEndStream(stream);
  }

  protected override takeTrailers(
    stream: Http2Stream,
    endStream: boolean,
    fields: FieldList,
    error: number,
  ): void {
    const isLooked = error === HpackError.none && stream.received !== MessageState.ended;
    if (isLooked && this.settings.options.underscores !== UnderscoreAction.allow) {
      if (!this.takeUnderscores(fields)) {
        this.failStream(stream, ErrorCode.internalError, 'http2.unexpected_underscore');
        return;
      }
    }
    super.takeTrailers(stream, endStream, fields, error);
  }

  /** Does as `headers_with_underscores_action` says; false where the request is to be refused. */
  private takeUnderscores(fields: FieldList): boolean {
    const { options, metrics } = this.settings;
    if (!hasUnderscoredName(fields)) return true;
    if (options.underscores === UnderscoreAction.reject) {
      metrics.underscoreRequestsRejected.value++;
      return false;
    }
    metrics.underscoreFieldsDropped.value += dropUnderscoredNames(fields);
    return true;
  }

  /** A request that nobody hears of. */
  private refuseRequest(id: number, code: number): void {
    this.sendReset(id, code);
    this.countGone(true, 0);
  }

  private countGone(wasPremature: boolean, lifetimeMs: number): void {
    if (this.phase !== Phase.open || !this.resets.onClosed(wasPremature, lifetimeMs)) return;
    this.failLater(Faults.prematureResets);
  }
}
