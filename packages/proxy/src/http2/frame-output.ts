// Hot path.
import type { ByteCount } from '../codec/byte-count.ts';
import type { Http2Metrics } from '../stats/http2-metrics.ts';
import type { Connection } from '../transport/transport.ts';
import { type ConnectionFault, Faults } from './connection-fault.ts';
import { FrameFlag, FrameType, frameHeaderBytes, writeFrameHeader } from './frame.ts';
import type { Http2Options } from './http2-options.ts';
import { type Borrower, lentRead } from './lent-read.ts';
import { giveBlockBack, takeBlock } from './output-blocks.ts';

/** Whose frames these are. */
export interface OutputOwner {
  /** There is something to be written, and there was nothing. `writeOut` has to be called before long. */
  onOutput(): void;
  /** The peer makes us hold more than it may. Told in the middle of whatever is being sent: to be acted upon later. */
  failLater(fault: ConnectionFault): void;
}

const noBytes = Buffer.alloc(0);
/** A shorter payload is copied: that costs less than a write of its own. */
const minBorrowedBytes = 4096;

/**
 * The frames that one connection is about to send, in one piece of memory: small ones one behind the other in a block, and
 * behind them at most one piece of a buffer that was just read (see `lent-read.ts`).
 *
 *     block                          borrowed
 *     [HEADERS][DATA][WINDOW_UPDATE] [DATA          ][DATA          ]
 */
export class FrameOutput implements Borrower {
  /** What `begin` and `room` give places in; only valid until the next call. */
  block: Buffer = noBytes;
  /** The transport has more than enough: nothing that can wait is to be added. */
  isBlocked = false;
  private isClosed = false;
  private length = 0;
  private borrowed: Buffer = noBytes;
  private borrowedStart = 0;
  private borrowedEnd = 0;
  private isBorrower = false;
  /** Of the last frame, where it can still be made the last of its stream: the buffer and position of its header, and its stream. */
  private lastBuffer: Buffer | null = null;
  private lastAt = 0;
  private lastStreamId = 0;
  /** Frames that the peer has not been seen to take. */
  private frames = 0;
  private controlFrames = 0;
  /** Of those above, what the gauges say. */
  private gaugedFrames = 0;
  private gaugedControlFrames = 0;
  private connection: Connection | null = null;
  private readonly owner: OutputOwner;
  private readonly options: Http2Options;
  private readonly metrics: Http2Metrics;
  private readonly bytesSent: ByteCount;

  constructor(owner: OutputOwner, options: Http2Options, metrics: Http2Metrics, bytesSent: ByteCount) {
    this.owner = owner;
    this.options = options;
    this.metrics = metrics;
    this.bytesSent = bytesSent;
  }

  attach(connection: Connection): void {
    this.connection = connection;
  }

  /** Nothing waits to be written. */
  get isEmpty(): boolean {
    return this.length === 0 && this.borrowedEnd === 0;
  }

  /** Adds bytes that are no frame: a client's preface. */
  raw(bytes: Buffer): void {
    const at = this.room(bytes.length);
    bytes.copy(this.block, at);
    this.length = at + bytes.length;
  }

  /** Adds PING, SETTINGS or RST_STREAM, which a peer can cause at no cost: they are counted. Returns where the payload goes. */
  control(type: number, flags: number, streamId: number, length: number): number {
    // Told once: the GOAWAY that follows is counted, too.
    if (++this.controlFrames === this.options.maxOutboundControlFrames + 1) {
      this.metrics.outboundControlFlood.value++;
      this.owner.failLater(Faults.outboundControlFlood);
    }
    return this.begin(type, flags, streamId, length);
  }

  /** Adds the header of a frame; the caller writes `length` bytes of payload into `block` at the position returned. */
  begin(type: number, flags: number, streamId: number, length: number): number {
    const at = this.room(frameHeaderBytes + length);
    this.length = at + frameHeaderBytes + length;
    this.lastBuffer = null;
    this.count();
    return writeFrameHeader(this.block, at, length, type, flags, streamId);
  }

  /** Makes room for `bytes` in `block` at the position returned. They are not there yet: `wrote` tells of them. */
  room(bytes: number): number {
    if (this.borrowedEnd > 0 || this.length + bytes > this.block.length) this.makeRoom();
    return this.length;
  }

  /** A HEADERS frame was put where `room` said, CONTINUATION frames behind it included: `end` is the position behind them. */
  wroteHeaders(streamId: number, end: number): void {
    this.lastBuffer = this.block;
    this.lastAt = this.length;
    this.lastStreamId = streamId;
    this.length = end;
    this.count();
  }

  /** Adds a DATA frame of at most `maxPayloadBytes`. */
  data(streamId: number, buffer: Buffer, start: number, end: number, flags: number): void {
    const length = end - start;
    if (length >= minBorrowedBytes && lentRead.claim(buffer, start, end)) {
      this.borrow(streamId, buffer, start, end, flags);
      return;
    }
    const at = this.begin(FrameType.data, flags, streamId, length);
    buffer.copy(this.block, at, start, end);
    this.lastBuffer = this.block;
    this.lastAt = at - frameHeaderBytes;
    this.lastStreamId = streamId;
  }

  /** Makes the last frame the last of this stream, where it belongs to it and hasn't been written. */
  endStream(streamId: number): boolean {
    if (this.lastBuffer === null || this.lastStreamId !== streamId) return false;
    this.lastBuffer[this.lastAt + 4]! |= FrameFlag.endStream;
    return true;
  }

  /** Hands everything to the connection. */
  writeOut(): void {
    if (this.isClosed) {
      this.discard();
      return;
    }
    if (this.length > 0) {
      const { block, length } = this;
      // The connection may tell of a drain meanwhile, and what is added then goes into another block.
      this.block = noBytes;
      this.length = 0;
      this.lastBuffer = null;
      this.write(block, 0, length);
      giveBlockBack(block);
    }
    if (this.borrowedEnd > 0) {
      const { borrowed, borrowedStart, borrowedEnd } = this;
      this.borrowed = noBytes;
      this.borrowedEnd = 0;
      this.lastBuffer = null;
      this.write(borrowed, borrowedStart, borrowedEnd);
    }
  }

  writeBorrowed(): void {
    this.isBorrower = false;
    this.writeOut();
  }

  /** The transport has got rid of everything. */
  onDrain(): void {
    this.isBlocked = false;
    this.resetCounts();
  }

  /** Sends what waits, and nothing any more. */
  close(): void {
    this.writeOut();
    this.isClosed = true;
    this.isBlocked = true;
  }

  /** The connection is gone, and what waits is of no use. */
  discard(): void {
    this.isClosed = true;
    if (this.length > 0) giveBlockBack(this.block);
    this.block = noBytes;
    this.length = 0;
    this.borrowed = noBytes;
    this.borrowedEnd = 0;
    this.lastBuffer = null;
    this.isBlocked = true;
    this.resetCounts();
  }

  private borrow(streamId: number, buffer: Buffer, start: number, end: number, flags: number): void {
    const at = start - frameHeaderBytes;
    writeFrameHeader(buffer, at, end - start, FrameType.data, flags, streamId);
    if (this.borrowedEnd > 0 && this.borrowedEnd === at) {
      this.borrowedEnd = end;
    } else {
      if (this.borrowedEnd > 0) this.writeOut();
      if (this.length === 0) this.owner.onOutput();
      this.borrowed = buffer;
      this.borrowedStart = at;
      this.borrowedEnd = end;
      if (!this.isBorrower) {
        this.isBorrower = true;
        lentRead.add(this);
      }
    }
    this.lastBuffer = buffer;
    this.lastAt = at;
    this.lastStreamId = streamId;
    this.count();
  }

  private makeRoom(): void {
    this.writeOut();
    this.block = takeBlock();
    this.owner.onOutput();
  }

  private write(buffer: Buffer, start: number, end: number): void {
    this.bytesSent.value += end - start;
    if (this.connection!.write(buffer, start, end)) {
      if (!this.isBlocked) this.resetCounts();
    } else {
      this.isBlocked = true;
      this.gauge();
    }
  }

  private count(): void {
    if (++this.frames !== this.options.maxOutboundFrames + 1) return;
    this.metrics.outboundFlood.value++;
    this.owner.failLater(Faults.outboundFlood);
  }

  private gauge(): void {
    const { metrics } = this;
    metrics.outboundFramesActive.value += this.frames - this.gaugedFrames;
    metrics.outboundControlFramesActive.value += this.controlFrames - this.gaugedControlFrames;
    this.gaugedFrames = this.frames;
    this.gaugedControlFrames = this.controlFrames;
  }

  private resetCounts(): void {
    this.frames = 0;
    this.controlFrames = 0;
    if (this.gaugedFrames > 0) this.gauge();
  }
}
