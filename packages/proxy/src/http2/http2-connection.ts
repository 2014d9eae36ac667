// Hot path.
import type { FieldList } from '../codec/field-list.ts';
import type { Connection, ConnectionHandler, TransportError } from '../transport/transport.ts';
import { ClosedBy, ClosedStreams } from './closed-streams.ts';
import { type ConnectionFault, Faults } from './connection-fault.ts';
import type { Http2ConnectionOwner, Http2Context, Http2Settings } from './connection-owner.ts';
import { ErrorCode } from './error-code.ts';
import { FloodGuard } from './flood-guard.ts';
import type { Flushable } from './flush-queue.ts';
import { FrameFlag, FrameType, maxUint31, writeUint32 } from './frame.ts';
import { FrameOutput, type OutputOwner } from './frame-output.ts';
import { HeaderSender } from './header-sender.ts';
import { HpackError } from './hpack/hpack-error.ts';
import { type Http2Stream, MessageState, type StreamHost } from './http2-stream.ts';
import { type FrameReceiver, InboundFrames } from './inbound-frames.ts';
import { MessageError, checkTrailers } from './message-rules.ts';
import { Keepalive, type KeepaliveOwner, keepsAlive } from './keepalive.ts';
import { lentRead } from './lent-read.ts';
import { PeerSettings, ownSettings } from './peer-settings.ts';
import { ReceiveWindows } from './receive-windows.ts';
import { ResetCause, type StreamReset } from './stream-handler.ts';
import { type SenderOwner, StreamSender } from './stream-sender.ts';
import { StreamTable } from './stream-table.ts';

/** In order: a phase never goes back. */
export const Phase = {
  connecting: 0,
  open: 1,
  /** Our side is closed; what comes is not looked at. */
  closing: 2,
  closed: 3,
} as const;

/** What both ends of a connection have in common: everything but who opens streams, and what their heads say. */
export abstract class Http2Connection
  implements
    ConnectionHandler,
    StreamHost,
    FrameReceiver,
    OutputOwner,
    SenderOwner,
    KeepaliveOwner,
    Flushable
{
  readonly closedStreams = new ClosedStreams();
  protected readonly settings: Http2Settings;
  protected readonly context: Http2Context;
  protected readonly peer: PeerSettings;
  protected readonly streams = new StreamTable();
  protected readonly windows: ReceiveWindows;
  protected readonly guard: FloodGuard;
  protected readonly sender: StreamSender;
  protected phase: number = Phase.connecting;
  /** The byte stream; a client's is attached when it begins to connect. */
  protected transport: Connection | null = null;
  private readonly owner: Http2ConnectionOwner;
  private readonly isServer: boolean;
  private readonly headers: HeaderSender;
  private readonly inbound: InboundFrames;
  private readonly output: FrameOutput;
  private readonly keepalive: Keepalive | null;
  private isReading = false;
  /** Ours are out, and the peer has not said that it has them. */
  private awaitsAcknowledgement = true;
  /** Monotonic milliseconds of the read that is being handled; -1 before anybody has asked. */
  private readMs = -1;
  private isFlushScheduled = false;
  /** What the peer has made us hold too much of; acted upon when nothing is in the middle of being sent. */
  private laterFault: ConnectionFault | null = null;
  /** Streams whose messages are complete and whose handlers haven't been told. */
  private readonly finished: Http2Stream[] = [];

  constructor(
    owner: Http2ConnectionOwner,
    settings: Http2Settings,
    context: Http2Context,
    isServer: boolean,
  ) {
    const { options, metrics } = settings;
    this.owner = owner;
    this.settings = settings;
    this.context = context;
    this.isServer = isServer;
    this.peer = new PeerSettings(isServer);
    this.guard = new FloodGuard(options, metrics);
    this.output = new FrameOutput(this, options, metrics, settings.bytesSent);
    this.windows = new ReceiveWindows(this.output, options);
    this.headers = new HeaderSender(this.output, options.hpackTableSize);
    this.sender = new StreamSender(this, this.output, this.headers, this.guard, metrics);
    this.inbound = new InboundFrames(this, this.windows, this.guard, options, metrics, isServer);
    this.keepalive = keepsAlive(options)
      ? new Keepalive(this, options, context.timers, context.random)
      : null;
  }

  /** Streams that count against the limit of whoever may open them. */
  get openStreams(): number {
    return this.streams.size;
  }

  /** Drops the connection at once; its streams are lost. */
  destroy(): void {
    this.transport?.destroy();
  }

  // For the roles

  /** A complete header block, as `FrameReceiver` has it. */
  abstract onHeaderBlock(
    id: number,
    endStream: boolean,
    fields: FieldList,
    error: number,
    dependsOnItself: boolean,
  ): void;
  abstract isIdle(id: number): boolean;
  abstract onGoaway(lastStreamId: number, code: number): void;
  /** A stream is gone. `wasReset`: by whichever side, or by the connection's end. */
  protected abstract onStreamGone(stream: Http2Stream, wasReset: boolean): void;
  protected abstract onPeerSettings(): void;
  /** Everything that there was to send has been handed over. */
  protected abstract afterFlush(): void;
  /** Of the peer's streams the last one that was looked at: what GOAWAY says. */
  protected abstract lastPeerStream(): number;
  /** GOAWAY has been sent, our side is to be closed. */
  protected abstract closeTransport(): void;
  /** Streams that are not in the table are lost with the connection, too. */
  protected abstract onStreamsLost(reset: StreamReset): void;

  /** The connection is made: says what we are like. `preface`: what a client says before. */
  protected begin(transport: Connection, preface: Buffer | null): void {
    this.transport = transport;
    this.phase = Phase.open;
    this.output.attach(transport);
    if (preface !== null) this.output.raw(preface);
    const { options } = this.settings;
    const payload = ownSettings(options, this.isServer);
    const at = this.output.control(FrameType.settings, 0, 0, payload.length);
    payload.copy(this.output.block, at);
    this.windows.open();
    this.keepalive?.start(this.context.clock.monotonic());
  }

  /** A stream is about to be opened by either side. */
  protected addStream(stream: Http2Stream): void {
    this.streams.add(stream);
    this.guard.onStream();
    this.settings.metrics.streamsActive.value++;
    this.keepalive?.onNewStream(this.now());
  }

  protected sendGoaway(lastStreamId: number, code: number): void {
    const at = this.output.begin(FrameType.goaway, 0, 0, 8);
    writeUint32(this.output.block, writeUint32(this.output.block, at, lastStreamId), code);
    this.settings.metrics.goawaySent.value++;
  }

  /** Sends what there is, and closes our side. */
  protected close(): void {
    if (this.phase >= Phase.closing) return;
    this.phase = Phase.closing;
    this.stopReading();
    this.keepalive?.stop();
    this.output.close();
    this.closeTransport();
  }

  protected sendReset(id: number, code: number): void {
    const at = this.output.control(FrameType.rstStream, 0, id, 4);
    writeUint32(this.output.block, at, code);
    this.settings.metrics.resetsSent.value++;
    this.closedStreams.add(id, ClosedBy.ownReset);
  }

  /** What comes on a stream that has closed. */
  protected judgeUnknown(id: number): void {
    this.settings.metrics.headersWithoutStream.value++;
    this.inbound.judgeUnknown(id);
  }

  /** Trailers, or what comes in their place. */
  protected takeTrailers(stream: Http2Stream, endStream: boolean, fields: FieldList, error: number): void {
    if (stream.received === MessageState.ended) {
      this.failStream(stream, ErrorCode.streamClosed, Faults.closedStream.detail);
    } else if (error !== HpackError.none) {
      this.refuseList(stream);
    } else if (!endStream || stream.contentLeft > 0 || checkTrailers(fields) !== MessageError.none) {
      this.refuseMessage(stream);
    } else {
      this.settings.metrics.trailers.value++;
      if (!stream.isDiscarding) stream.handler.onTrailers(fields);
      if (!stream.isClosed) this.onEndStream(stream);
    }
  }

  /** The list is over our limits. */
  protected refuseList(stream: Http2Stream): void {
    this.settings.metrics.headerOverflow.value++;
    this.failStream(stream, ErrorCode.internalError, 'http2.too_many_headers');
  }

  /** What has come is no message of HTTP (RFC 9113 §8.1.1). */
  protected refuseMessage(stream: Http2Stream): void {
    if (this.mayReset()) this.failStream(stream, ErrorCode.protocolError, Faults.invalidMessage.detail);
  }

  /** Counts what is no message. True where it costs its stream only; otherwise the connection has been ended. */
  protected mayReset(): boolean {
    const { metrics, options } = this.settings;
    metrics.messagingErrors.value++;
    if (options.resetsStreamOnInvalidMessage) return true;
    this.fail(Faults.invalidMessage);
    return false;
  }

  /** Nothing that comes from now on is looked at, the rest of the current read included. */
  protected stopReading(): void {
    this.inbound.reader.stop();
  }

  /** Hands `reset` to each stream, and forgets it. */
  protected loseStreams(reset: StreamReset): void {
    for (const stream of this.streams.all()) this.endStreamBy(stream, reset);
    this.onStreamsLost(reset);
  }

  /** The stream is over before its messages are complete, and its handler is told. */
  protected endStreamBy(stream: Http2Stream, reset: StreamReset): void {
    this.detach(stream, true);
    stream.handler.onReset(reset, !stream.hasReceived);
  }

  /** Monotonic milliseconds; one moment during a read. */
  protected now(): number {
    if (!this.isReading) return this.context.clock.monotonic();
    if (this.readMs < 0) this.readMs = this.context.clock.monotonic();
    return this.readMs;
  }

  /** Has `flush` called, at the end of the current read or turn. */
  protected scheduleFlush(): void {
    if (this.isReading || this.isFlushScheduled) return;
    this.isFlushScheduled = true;
    this.context.flushes.add(this);
  }

  // ConnectionHandler

  abstract onConnect(): void;

  onData(buffer: Buffer, start: number, end: number): void {
    this.settings.bytesReceived.value += end - start;
    if (this.phase >= Phase.closing) return;
    this.isReading = true;
    this.readMs = -1;
    this.keepalive?.onReceived(this.now());
    lentRead.begin(buffer, start);
    try {
      this.inbound.reader.read(buffer, start, end);
    } finally {
      lentRead.end();
      this.isReading = false;
    }
    this.complete();
  }

  onEnd(): void {
    // Nobody who speaks HTTP/2 closes one side only: streams that are open will not come to their end.
    if (this.phase >= Phase.closing || this.streams.size === 0) this.transport!.end();
    else this.transport!.destroy();
  }

  onDrain(): void {
    if (this.phase >= Phase.closing) return;
    this.output.onDrain();
    this.sender.pump();
    // Streams may close meanwhile, which takes them out of the table.
    for (const stream of this.streams.all()) this.sender.tellDrained(stream);
    this.scheduleFlush();
  }

  onClose(error: TransportError | null): void {
    const wasConnecting = this.phase === Phase.connecting;
    this.phase = Phase.closed;
    this.stopReading();
    this.keepalive?.stop();
    this.output.discard();
    this.tellFinished();
    this.loseStreams({
      cause: ResetCause.connectionLost,
      code: ErrorCode.cancel,
      detail: error?.detail ?? 'connection closed',
    });
    this.owner.onGone(wasConnecting ? (error ?? notConnected) : error);
  }

  // Flushable

  writeOut(): void {
    this.output.writeOut();
  }

  flush(): void {
    this.isFlushScheduled = false;
    this.complete();
  }

  drop(): void {
    this.destroy();
  }

  // OutputOwner

  onOutput(): void {
    this.scheduleFlush();
  }

  failLater(fault: ConnectionFault): void {
    this.laterFault ??= fault;
    this.stopReading();
    this.scheduleFlush();
  }

  // StreamHost

  abstract sendHeaders(stream: Http2Stream, fields: FieldList, endStream: boolean): void;

  sendInformational(stream: Http2Stream, fields: FieldList): void {
    this.sender.sendInterim(stream, fields);
  }

  sendData(stream: Http2Stream, buffer: Buffer, start: number, end: number, endStream: boolean): boolean {
    return this.sender.sendData(stream, buffer, start, end, endStream);
  }

  sendTrailers(stream: Http2Stream, fields: FieldList): void {
    this.sender.sendTrailers(stream, fields);
  }

  endStream(stream: Http2Stream): void {
    this.sender.end(stream);
  }

  resetStream(stream: Http2Stream, code: number): void {
    if (stream.id > 0) this.sendReset(stream.id, code);
    this.detach(stream, true);
  }

  discardIncoming(stream: Http2Stream): void {
    stream.isDiscarding = true;
    if (stream.held > 0) this.onReadingResumed(stream);
    this.finishWhereComplete(stream);
  }

  onReadingResumed(stream: Http2Stream): void {
    const { held } = stream;
    stream.held = 0;
    this.windows.giveBack(stream, held);
  }

  onFlushTimeout(stream: Http2Stream): void {
    this.settings.metrics.flushTimeouts.value++;
    this.failStream(stream, ErrorCode.cancel, 'stream reset due to flush timeout');
    this.scheduleFlush();
  }

  // SenderOwner

  onMessageSent(stream: Http2Stream): void {
    this.context.timers.disarm(stream);
    this.finishWhereComplete(stream);
  }

  onMessageWaits(stream: Http2Stream): void {
    const { flushTimeoutMs } = this.settings.options;
    if (flushTimeoutMs > 0) this.context.timers.arm(stream, flushTimeoutMs);
  }

  // FrameReceiver

  findStream(id: number): Http2Stream | null {
    return this.streams.find(id);
  }

  onEndStream(stream: Http2Stream): void {
    stream.received = MessageState.ended;
    if (!stream.isDiscarding) stream.handler.onEnd();
    if (!stream.isClosed) this.finishWhereComplete(stream);
  }

  onPeerReset(stream: Http2Stream, code: number): void {
    this.settings.metrics.resetsReceived.value++;
    this.closedStreams.add(stream.id, ClosedBy.peerReset);
    if (code === ErrorCode.refusedStream) this.settings.metrics.streamsRefused.value++;
    this.endStreamBy(stream, peerReset(code));
  }

  onSettings(buffer: Buffer, start: number, end: number): void {
    const { peer, sender } = this;
    const { initialWindowSize } = peer;
    const fault = peer.apply(buffer, start, end);
    if (fault !== null) {
      this.fail(fault);
      return;
    }
    this.headers.setMaxTableSize(peer.headerTableSize);
    const change = peer.initialWindowSize - initialWindowSize;
    if (change !== 0) {
      for (const stream of this.streams.all()) {
        stream.sendWindow += change;
        if (stream.sendWindow > maxUint31) {
          this.fail(Faults.badWindowSetting);
          return;
        }
        sender.onStreamWindow(stream);
      }
    }
    this.output.control(FrameType.settings, FrameFlag.ack, 0, 0);
    this.onPeerSettings();
    sender.pump();
  }

  onSettingsAcknowledged(): void {
    // Ours are sent once.
    if (!this.awaitsAcknowledgement) return this.fail(Faults.unexpectedAcknowledgement);
    this.awaitsAcknowledgement = false;
    this.inbound.onTableSizeAcknowledged(this.settings.options.hpackTableSize);
    const change = this.windows.onAcknowledged();
    if (change === 0) return;
    for (const stream of this.streams.all()) stream.receiveWindow += change;
  }

  onPing(buffer: Buffer, start: number): void {
    const at = this.output.control(FrameType.ping, FrameFlag.ack, 0, 8);
    buffer.copy(this.output.block, at, start, start + 8);
  }

  onPingAnswer(high: number, low: number): void {
    if (high === 0) this.keepalive?.onAnswer(low);
  }

  onConnectionWindow(increment: number): void {
    const { sender } = this;
    if (sender.window + increment > maxUint31) {
      this.fail(Faults.windowOverflow);
      return;
    }
    sender.window += increment;
    sender.pump();
  }

  onStreamWindow(stream: Http2Stream, increment: number): void {
    stream.sendWindow += increment;
    this.sender.onStreamWindow(stream);
    this.sender.pump();
  }

  failStream(stream: Http2Stream, code: number, detail: string): void {
    this.sendReset(stream.id, code);
    this.endStreamBy(stream, { cause: ResetCause.local, code, detail });
  }

  refuse(id: number, code: number): void {
    this.sendReset(id, code);
  }

  fail(fault: ConnectionFault): void {
    if (this.phase >= Phase.closing) return;
    this.sendGoaway(this.lastPeerStream(), fault.code);
    this.close();
    this.loseStreams({ cause: ResetCause.connectionError, code: fault.code, detail: fault.detail });
    this.owner.onFault(fault);
  }

  // KeepaliveOwner

  sendPing(payload: number): void {
    const at = this.output.control(FrameType.ping, 0, 0, 8);
    writeUint32(this.output.block, writeUint32(this.output.block, at, 0), payload);
  }

  onKeepaliveTimeout(): void {
    this.settings.metrics.keepaliveTimeouts.value++;
    this.fail(Faults.keepaliveTimeout);
    this.transport!.destroy();
  }

  /** A read or a turn is over. */
  private complete(): void {
    if (this.laterFault !== null) this.fail(this.laterFault);
    this.output.writeOut();
    if (this.finished.length > 0) this.tellFinished();
    if (this.phase === Phase.open) this.afterFlush();
  }

  /** Ends the stream where both its messages are complete, or the rest of the peer's is of no use. */
  private finishWhereComplete(stream: Http2Stream): void {
    if (stream.sent !== MessageState.ended) return;
    if (stream.received !== MessageState.ended) {
      if (!stream.isDiscarding) return;
      this.sendReset(stream.id, ErrorCode.noError);
    }
    this.detach(stream, false);
    this.finished.push(stream);
    this.scheduleFlush();
  }

  /** The stream is over, however it came to that. */
  private detach(stream: Http2Stream, wasReset: boolean): void {
    stream.isClosed = true;
    this.streams.remove(stream);
    this.sender.drop(stream);
    this.context.timers.disarm(stream);
    this.settings.metrics.streamsActive.value--;
    if (stream.held > 0) this.windows.giveBackUnowned(stream.held);
    this.onStreamGone(stream, wasReset);
    this.scheduleFlush();
  }

  private tellFinished(): void {
    const { finished } = this;
    let told = 0;
    try {
      while (told < finished.length) finished[told++]!.handler.onClosed();
    } finally {
      // Who throws is not told again, and the others still are, when the connection ends.
      if (told === finished.length) finished.length = 0;
      else finished.splice(0, told);
    }
  }
}

const notConnected: TransportError = Object.freeze({
  kind: 'connect-failed',
  detail: 'the connection was not made',
});

/** RST_STREAM by its code: there are few. */
const peerResets: StreamReset[] = Array.from({ length: 16 }, (_, code) => makePeerReset(code));

function makePeerReset(code: number): StreamReset {
  const isRefusal = code === ErrorCode.refusedStream;
  return Object.freeze({
    cause: isRefusal ? ResetCause.refused : ResetCause.remote,
    code,
    detail: isRefusal ? 'http2.remote_refuse' : 'http2.remote_reset',
  });
}

function peerReset(code: number): StreamReset {
  return peerResets[code] ?? makePeerReset(code);
}
