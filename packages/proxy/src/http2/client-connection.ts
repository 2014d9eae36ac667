// Hot path.
// A connection to an upstream: this side opens streams, the peer answers them.
import type { FieldList } from '../codec/field-list.ts';
import { FieldId } from '../codec/field-name.ts';
import type { Connection } from '../transport/transport.ts';
import { Faults } from './connection-fault.ts';
import type { Http2ClientOwner, Http2Context, Http2Settings } from './connection-owner.ts';
import { contentLengthOf } from './content-length.ts';
import { ErrorCode } from './error-code.ts';
import { clientPreface, maxUint31 } from './frame.ts';
import { HpackError } from './hpack/hpack-error.ts';
import { Http2Connection, Phase } from './http2-connection.ts';
import { Http2Stream, MessageState, RequestKind } from './http2-stream.ts';
import { MessageError, checkResponse } from './message-rules.ts';
import { type Http2StreamHandler, ResetCause, type StreamReset } from './stream-handler.ts';

/** An upstream may send this many interim responses before the final one. */
const maxInterimResponses = 16;

const goneAway: StreamReset = Object.freeze({
  cause: ResetCause.refused,
  code: ErrorCode.refusedStream,
  detail: 'http2.goaway',
});

/** One connection to an upstream. */
export class Http2ClientConnection extends Http2Connection {
  private readonly client: Http2ClientOwner;
  private nextStreamId = 1;
  /** Streams that have been opened and have not said anything. */
  private readonly unsent: Http2Stream[] = [];
  private isLeaving = false;
  private hasPeerEnded = false;
  private hasCapacityChanged = false;

  constructor(owner: Http2ClientOwner, settings: Http2Settings, context: Http2Context) {
    super(owner, settings, context, false);
    this.client = owner;
  }

  /** Gives the connection its byte stream: the pool makes both, each needs the other. */
  attach(connection: Connection): void {
    this.transport = connection;
  }

  override get openStreams(): number {
    return this.streams.size + this.unsent.length;
  }

  /** How many may be open: the lesser of what the peer and our options allow. */
  get maxStreams(): number {
    return Math.min(this.settings.options.maxConcurrentStreams, this.peer.maxConcurrentStreams);
  }

  /** No stream can be opened any more. */
  get isGoingAway(): boolean {
    return this.isLeaving;
  }

  get isConnected(): boolean {
    return this.phase === Phase.open && !this.hasPeerEnded;
  }

  /** The peer takes extended CONNECT (RFC 8441); null before its SETTINGS have come. */
  get takesExtendedConnect(): boolean | null {
    return this.peer.areKnown ? this.peer.enablesConnectProtocol : null;
  }

  /** Opens a stream, to which `sendHeaders` gives its number; null where none may be opened now. */
  openStream(handler: Http2StreamHandler): Http2Stream | null {
    if (!this.isConnected || this.isLeaving || this.openStreams >= this.maxStreams) return null;
    const stream = new Http2Stream(
      this,
      0,
      handler,
      this.peer.initialWindowSize,
      this.windows.streamWindow,
      0,
    );
    this.unsent.push(stream);
    return stream;
  }

  /** Takes no more streams, and closes once the last one has closed. */
  drain(): void {
    this.leave();
    this.scheduleFlush();
  }

  // ConnectionHandler

  onConnect(): void {
    this.begin(this.transport!, clientPreface);
    this.client.onConnected();
  }

  override onEnd(): void {
    // What is asked from here on nobody answers, and the end of the connection may take a turn.
    this.hasPeerEnded = true;
    super.onEnd();
  }

  // Http2Connection

  sendHeaders(stream: Http2Stream, fields: FieldList, endStream: boolean): void {
    if (stream.id === 0) this.number(stream);
    stream.requestKind = requestKindOf(fields);
    this.sender.sendHead(stream, fields, endStream);
  }

  override resetStream(stream: Http2Stream, code: number): void {
    if (stream.id > 0) super.resetStream(stream, code);
    else this.forgetUnsent(stream);
  }

  isIdle(id: number): boolean {
    return (id & 1) === 0 || id >= this.nextStreamId;
  }

  onHeaderBlock(
    id: number,
    endStream: boolean,
    fields: FieldList,
    error: number,
    dependsOnItself: boolean,
  ): void {
    const stream = this.findStream(id);
    if (stream === null) this.judgeUnknown(id);
    else if (dependsOnItself) {
      this.failStream(stream, ErrorCode.protocolError, Faults.dependsOnItself.detail);
    } else if (stream.received !== MessageState.head) this.takeTrailers(stream, endStream, fields, error);
    else if (error !== HpackError.none) this.refuseList(stream);
    else this.onResponse(stream, endStream, fields);
  }

  onGoaway(lastStreamId: number): void {
    // First: nobody is to try again on this connection.
    this.leave();
    for (const stream of this.streams.all()) {
      if (stream.id > lastStreamId) this.endStreamBy(stream, goneAway);
    }
    this.loseUnsent(goneAway);
    this.stopWhereUnused();
  }

  protected onStreamGone(): void {
    this.hasCapacityChanged = true;
    this.stopWhereUnused();
  }

  protected onPeerSettings(): void {
    this.hasCapacityChanged = true;
    this.client.onSettings();
  }

  protected onStreamsLost(reset: StreamReset): void {
    this.loseUnsent(reset);
  }

  protected lastPeerStream(): number {
    // A server opens none.
    return 0;
  }

  protected closeTransport(): void {
    this.transport!.destroy();
  }

  protected afterFlush(): void {
    this.client.onReadEnd();
    if (this.isLeaving && this.openStreams === 0) {
      this.sendGoaway(0, ErrorCode.noError);
      this.close();
      return;
    }
    if (!this.hasCapacityChanged) return;
    this.hasCapacityChanged = false;
    if (!this.isLeaving) this.client.onCapacity();
  }

  private onResponse(stream: Http2Stream, endStream: boolean, fields: FieldList): void {
    if (checkResponse(fields) !== MessageError.none) {
      this.refuseMessage(stream);
      return;
    }
    stream.hasReceived = true;
    // The only pseudo-header of a response, and so its first field.
    const status = Number(fields.fields[0]!.value);
    const contentLength = contentLengthOf(fields);
    // RFC 9110 §8.6: there is no body, and so no length.
    if ((status < 200 || status === 204) && contentLength > 0) {
      this.refuseMessage(stream);
      return;
    }
    if (status < 200) {
      if (endStream || ++stream.interimResponses > maxInterimResponses) this.refuseMessage(stream);
      else if (!stream.isDiscarding) stream.handler.onInformational(fields);
      return;
    }
    if (stream.requestKind === RequestKind.head || status === 204 || status === 304) {
      stream.contentLeft = 0;
    } else if (stream.requestKind !== RequestKind.connect || status >= 300) {
      if (endStream && contentLength > 0) {
        this.refuseMessage(stream);
        return;
      }
      stream.contentLeft = contentLength;
    }
    stream.received = MessageState.body;
    if (!stream.isDiscarding) stream.handler.onHeaders(fields, endStream);
    if (endStream && !stream.isClosed) this.onEndStream(stream);
  }

  /** Gives a stream its number, in the order in which heads leave (RFC 9113 §5.1.1). */
  private number(stream: Http2Stream): void {
    const { unsent } = this;
    if (unsent.at(-1) === stream) unsent.pop();
    else unsent.splice(unsent.indexOf(stream), 1);
    stream.id = this.nextStreamId;
    this.nextStreamId += 2;
    this.addStream(stream);
    if (this.nextStreamId > maxUint31) this.leave();
  }

  private leave(): void {
    if (this.isLeaving) return;
    this.isLeaving = true;
    this.client.onGoingAway();
  }

  /** Nothing that comes now is of any use: the connection is closed when the read is over. */
  private stopWhereUnused(): void {
    if (this.isLeaving && this.openStreams === 0) this.stopReading();
  }

  private loseUnsent(reset: StreamReset): void {
    for (const stream of this.unsent.splice(0)) {
      stream.isClosed = true;
      stream.handler.onReset(reset, true);
    }
  }

  private forgetUnsent(stream: Http2Stream): void {
    stream.isClosed = true;
    this.unsent.splice(this.unsent.indexOf(stream), 1);
    this.hasCapacityChanged = true;
    this.scheduleFlush();
  }
}

function requestKindOf(fields: FieldList): number {
  for (let i = 0; i < fields.length; i++) {
    const field = fields.fields[i]!;
    if (field.fieldId !== FieldId.method) continue;
    return field.value === 'HEAD'
      ? RequestKind.head
      : field.value === 'CONNECT'
        ? RequestKind.connect
        : RequestKind.usual;
  }
  return RequestKind.usual;
}
