// Hot path.
import { FieldList } from '../codec/field-list.ts';
import type { Http2Metrics } from '../stats/http2-metrics.ts';
import { ClosedBy, type ClosedStreams } from './closed-streams.ts';
import { type ConnectionFault, Faults } from './connection-fault.ts';
import { ErrorCode } from './error-code.ts';
import type { FloodGuard } from './flood-guard.ts';
import { type FrameSink, FrameReader } from './frame-reader.ts';
import { FrameFlag, FrameType, maxPayloadBytes, maxUint31, readUint31, readUint32 } from './frame.ts';
import { HeaderBlock } from './header-block.ts';
import { HpackDecoder } from './hpack/decoder.ts';
import { isCompressionError } from './hpack/hpack-error.ts';
import type { Http2Options } from './http2-options.ts';
import { type Http2Stream, MessageState } from './http2-stream.ts';
import type { ReceiveWindows } from './receive-windows.ts';

/** What frames mean to the connection that they came on. */
export interface FrameReceiver {
  readonly closedStreams: ClosedStreams;
  /** An open stream, or null. */
  findStream(id: number): Http2Stream | null;
  /** Whether the stream may not be used yet, by whichever side opens it. */
  isIdle(id: number): boolean;
  /**
   * A complete header block. `error` is one of `HpackError` that leaves the connection intact. `dependsOnItself`: by the
   * frame's priority.
   */
  onHeaderBlock(
    id: number,
    endStream: boolean,
    fields: FieldList,
    error: number,
    dependsOnItself: boolean,
  ): void;
  /** The peer's message is complete. */
  onEndStream(stream: Http2Stream): void;
  onPeerReset(stream: Http2Stream, code: number): void;
  onSettings(buffer: Buffer, start: number, end: number): void;
  onSettingsAcknowledged(): void;
  /** The payload of 8 bytes lies at `start`. */
  onPing(buffer: Buffer, start: number): void;
  onPingAnswer(high: number, low: number): void;
  onGoaway(lastStreamId: number, code: number): void;
  onConnectionWindow(increment: number): void;
  onStreamWindow(stream: Http2Stream, increment: number): void;
  /** The stream can't go on: RST_STREAM with this code. */
  failStream(stream: Http2Stream, code: number, detail: string): void;
  /** As `failStream`, for one that isn't known any more. */
  refuse(id: number, code: number): void;
  fail(fault: ConnectionFault): void;
}

/** The fields of the block that is being told: one at a time in a thread. */
const decoded = new FieldList();

/** Takes the peer's frames apart, and judges what the RFC says of each whatever the role (RFC 9113 §6). */
export class InboundFrames implements FrameSink {
  readonly reader: FrameReader;
  private readonly receiver: FrameReceiver;
  private readonly decoder: HpackDecoder;
  private readonly windows: ReceiveWindows;
  private readonly guard: FloodGuard;
  private readonly metrics: Http2Metrics;
  private readonly block: HeaderBlock;
  private hasSettings = false;
  /** Of the DATA frame under way: its stream, null where it is of no use, and whether it ends the stream. */
  private dataStream: Http2Stream | null = null;
  private dataEnds = false;

  constructor(
    receiver: FrameReceiver,
    windows: ReceiveWindows,
    guard: FloodGuard,
    options: Http2Options,
    metrics: Http2Metrics,
    expectsPreface: boolean,
  ) {
    this.receiver = receiver;
    this.windows = windows;
    this.guard = guard;
    this.metrics = metrics;
    this.reader = new FrameReader(this, expectsPreface);
    this.block = new HeaderBlock(options.maxHeaderListBytes);
    this.decoder = new HpackDecoder({
      maxTableSize: options.hpackTableSize,
      maxListBytes: options.maxHeaderListBytes,
      maxFields: options.maxFields,
    });
  }

  /** The peer has acknowledged our SETTINGS_HEADER_TABLE_SIZE. */
  onTableSizeAcknowledged(bytes: number): void {
    this.decoder.setMaxTableSize(bytes);
  }

  // FrameSink

  onBadPreface(): void {
    this.receiver.fail(Faults.badPreface);
  }

  onBadPadding(): void {
    this.receiver.fail(Faults.badPadding);
  }

  onFrameHeader(type: number, flags: number, streamId: number, length: number): void {
    if (length > maxPayloadBytes) this.receiver.fail(Faults.frameTooLarge);
    else if (!this.hasSettings && (type !== FrameType.settings || (flags & FrameFlag.ack) !== 0)) {
      this.receiver.fail(Faults.settingsExpected);
    } else if (this.block.streamId !== 0) {
      if (type !== FrameType.continuation || streamId !== this.block.streamId) {
        this.receiver.fail(Faults.continuationExpected);
      }
    } else if (type === FrameType.continuation) this.receiver.fail(Faults.continuationUnexpected);
  }

  onFrame(type: number, flags: number, streamId: number, buffer: Buffer, start: number, end: number): void {
    switch (type) {
      case FrameType.headers:
        this.onHeaders(flags, streamId, buffer, start, end);
        break;
      case FrameType.windowUpdate:
        this.onWindowUpdate(streamId, buffer, start, end);
        break;
      case FrameType.rstStream:
        this.onRstStream(streamId, buffer, start, end);
        break;
      case FrameType.settings:
        this.onSettings(flags, streamId, buffer, start, end);
        break;
      case FrameType.ping:
        this.onPing(flags, streamId, buffer, start, end);
        break;
      case FrameType.continuation:
        this.onContinuation(flags, buffer, start, end);
        break;
      case FrameType.priority:
        this.onPriority(streamId, buffer, start, end);
        break;
      case FrameType.goaway:
        if (streamId !== 0) this.receiver.fail(Faults.badStreamId);
        else if (end - start < 8) this.receiver.fail(Faults.badFrameSize);
        else this.receiver.onGoaway(readUint31(buffer, start), readUint32(buffer, start + 4));
        break;
      default:
        this.receiver.fail(Faults.pushPromise);
    }
  }

  onDataFrame(flags: number, streamId: number, length: number, dataLength: number): void {
    const { receiver, windows } = this;
    this.dataStream = null;
    this.dataEnds = (flags & FrameFlag.endStream) !== 0;
    if (streamId === 0) {
      receiver.fail(Faults.badStreamId);
      return;
    }
    if (this.isEmptyFlood(dataLength === 0 && !this.dataEnds)) return;
    if (!windows.take(length)) {
      receiver.fail(Faults.windowExceeded);
      return;
    }
    const stream = receiver.findStream(streamId);
    // Padding is done with at once, and so is what nobody wants.
    windows.giveBackUnowned(stream === null ? length : length - dataLength);
    if (stream === null) {
      this.judgeUnknown(streamId);
      return;
    }
    const problem = this.dataProblem(stream, length, dataLength);
    if (problem < 0) {
      stream.unreturned += length - dataLength;
      this.dataStream = stream;
      return;
    }
    windows.giveBackUnowned(dataLength);
    receiver.failStream(stream, problem, dataDetail(problem));
  }

  onDataBytes(buffer: Buffer, start: number, end: number, isLast: boolean): void {
    const stream = this.dataStream;
    if (stream === null) return;
    const { receiver, windows } = this;
    const ends = isLast && this.dataEnds;
    const length = end - start;
    if (length > 0) {
      if (!stream.isClosed && !stream.isDiscarding) stream.handler.onData(buffer, start, end, ends);
      if (stream.isClosed) windows.giveBackUnowned(length);
      else if (stream.isPaused && !stream.isDiscarding) stream.held += length;
      else windows.giveBack(stream, length);
    }
    if (!isLast) return;
    this.dataStream = null;
    if (ends && !stream.isClosed) receiver.onEndStream(stream);
  }

  // Frames

  private onHeaders(flags: number, streamId: number, buffer: Buffer, start: number, end: number): void {
    if (streamId === 0) {
      this.receiver.fail(Faults.badStreamId);
      return;
    }
    let from = start;
    let to = end;
    if ((flags & FrameFlag.padded) !== 0) {
      if (from === to || from + 1 + buffer[from]! > to) {
        this.receiver.fail(Faults.badPadding);
        return;
      }
      to -= buffer[from]!;
      from++;
    }
    let dependsOnItself = false;
    if ((flags & FrameFlag.priority) !== 0) {
      if (to - from < 5) {
        this.receiver.fail(Faults.badFrameSize);
        return;
      }
      dependsOnItself = readUint31(buffer, from) === streamId;
      from += 5;
    }
    if (this.isEmptyFlood(from === to && (flags & FrameFlag.endStream) === 0)) return;
    if ((flags & FrameFlag.endHeaders) !== 0) {
      this.decode(streamId, flags, buffer, from, to, dependsOnItself);
      return;
    }
    const fault = this.block.begin(streamId, flags, buffer, from, to);
    if (fault === null) this.block.dependsOnItself = dependsOnItself;
    else this.receiver.fail(fault);
  }

  private onContinuation(flags: number, buffer: Buffer, start: number, end: number): void {
    if (this.isEmptyFlood(start === end)) return;
    const { block } = this;
    const fault = block.add(buffer, start, end);
    if (fault !== null) {
      block.clear();
      this.receiver.fail(fault);
      return;
    }
    if ((flags & FrameFlag.endHeaders) === 0) return;
    const { streamId, buffer: whole, length, dependsOnItself } = block;
    block.clear();
    this.decode(streamId, block.flags, whole, 0, length, dependsOnItself);
  }

  private decode(
    streamId: number,
    flags: number,
    buffer: Buffer,
    start: number,
    end: number,
    dependsOnItself: boolean,
  ): void {
    const error = this.decoder.decode(buffer, start, end, decoded);
    if (isCompressionError(error)) {
      this.receiver.fail(Faults.compression);
      return;
    }
    const endStream = (flags & FrameFlag.endStream) !== 0;
    this.receiver.onHeaderBlock(streamId, endStream, decoded, error, dependsOnItself);
  }

  private onWindowUpdate(streamId: number, buffer: Buffer, start: number, end: number): void {
    const { receiver } = this;
    if (end - start !== 4) {
      receiver.fail(Faults.badFrameSize);
      return;
    }
    const flood = this.guard.onWindowUpdate();
    if (flood !== null) {
      receiver.fail(flood);
      return;
    }
    const increment = readUint31(buffer, start);
    if (streamId === 0) {
      if (increment === 0) receiver.fail(Faults.zeroIncrement);
      else receiver.onConnectionWindow(increment);
      return;
    }
    const stream = receiver.findStream(streamId);
    if (stream === null) {
      // On a stream that has closed it may have been on its way (RFC 9113 §5.1).
      if (receiver.isIdle(streamId)) receiver.fail(Faults.idleStream);
    } else if (increment === 0) {
      receiver.failStream(stream, ErrorCode.protocolError, Faults.zeroIncrement.detail);
    } else if (stream.sendWindow + increment > maxUint31) {
      receiver.failStream(stream, ErrorCode.flowControlError, Faults.windowOverflow.detail);
    } else receiver.onStreamWindow(stream, increment);
  }

  private onRstStream(streamId: number, buffer: Buffer, start: number, end: number): void {
    const { receiver } = this;
    if (streamId === 0) receiver.fail(Faults.badStreamId);
    else if (end - start !== 4) receiver.fail(Faults.badFrameSize);
    else {
      const stream = receiver.findStream(streamId);
      if (stream !== null) receiver.onPeerReset(stream, readUint32(buffer, start));
      else if (receiver.isIdle(streamId)) receiver.fail(Faults.idleStream);
    }
  }

  private onSettings(flags: number, streamId: number, buffer: Buffer, start: number, end: number): void {
    const { receiver } = this;
    const isAcknowledgement = (flags & FrameFlag.ack) !== 0;
    if (streamId !== 0) receiver.fail(Faults.badStreamId);
    else if (isAcknowledgement && end > start) receiver.fail(Faults.badFrameSize);
    else if (isAcknowledgement) receiver.onSettingsAcknowledged();
    else {
      this.hasSettings = true;
      receiver.onSettings(buffer, start, end);
    }
  }

  private onPing(flags: number, streamId: number, buffer: Buffer, start: number, end: number): void {
    const { receiver } = this;
    if (streamId !== 0) receiver.fail(Faults.badStreamId);
    else if (end - start !== 8) receiver.fail(Faults.badFrameSize);
    else if ((flags & FrameFlag.ack) === 0) receiver.onPing(buffer, start);
    else receiver.onPingAnswer(readUint32(buffer, start), readUint32(buffer, start + 4));
  }

  /** Priorities are not obeyed (RFC 9113 §5.3.2), but what is no priority is still refused. */
  private onPriority(streamId: number, buffer: Buffer, start: number, end: number): void {
    const { receiver } = this;
    const flood = this.guard.onPriority();
    if (flood !== null) receiver.fail(flood);
    else if (streamId === 0) receiver.fail(Faults.badStreamId);
    else if (end - start !== 5) {
      const stream = receiver.findStream(streamId);
      if (stream === null) receiver.fail(Faults.badFrameSize);
      else receiver.failStream(stream, ErrorCode.frameSizeError, Faults.badFrameSize.detail);
    } else if (readUint31(buffer, start) === streamId) {
      const stream = receiver.findStream(streamId);
      if (stream !== null)
        receiver.failStream(stream, ErrorCode.protocolError, Faults.dependsOnItself.detail);
      else if (receiver.isIdle(streamId)) receiver.fail(Faults.dependsOnItself);
    }
  }

  // Rules

  /** DATA on a stream that isn't open (RFC 9113 §5.1). Also for heads on streams that have closed. */
  judgeUnknown(streamId: number): void {
    const { receiver } = this;
    if (receiver.isIdle(streamId)) {
      receiver.fail(Faults.idleStream);
      return;
    }
    switch (receiver.closedStreams.howClosed(streamId)) {
      case ClosedBy.end:
        receiver.fail(Faults.closedStream);
        break;
      case ClosedBy.peerReset:
        receiver.refuse(streamId, ErrorCode.streamClosed);
        break;
      default:
      // What was sent before the peer heard of our reset.
    }
  }

  /** The error code for a DATA frame that the stream can't take; -1 for none. */
  private dataProblem(stream: Http2Stream, length: number, dataLength: number): number {
    if (stream.received === MessageState.ended) return ErrorCode.streamClosed;
    if (stream.received === MessageState.head) return ErrorCode.protocolError;
    if (!this.windows.takeOf(stream, length)) return ErrorCode.flowControlError;
    if (stream.contentLeft < 0) return -1;
    stream.contentLeft -= dataLength;
    if (stream.contentLeft >= 0 && (stream.contentLeft === 0 || !this.dataEnds)) return -1;
    this.metrics.messagingErrors.value++;
    return ErrorCode.protocolError;
  }

  private isEmptyFlood(isEmpty: boolean): boolean {
    if (!isEmpty) {
      this.guard.onFullFrame();
      return false;
    }
    const fault = this.guard.onEmptyFrame();
    if (fault === null) return false;
    this.receiver.fail(fault);
    return true;
  }
}

function dataDetail(code: number): string {
  switch (code) {
    case ErrorCode.streamClosed:
      return Faults.closedStream.detail;
    case ErrorCode.flowControlError:
      return Faults.windowExceeded.detail;
    default:
      return Faults.invalidMessage.detail;
  }
}
