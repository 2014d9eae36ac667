// Hot path.
import { FrameFlag, FrameType, clientPreface, frameHeaderBytes, readUint31 } from './frame.ts';

/** What becomes of the bytes. Each call may stop the reader. */
export interface FrameSink {
  /** The bytes don't begin as those of an HTTP/2 client do. */
  onBadPreface(): void;
  /** A frame begins; its payload has not necessarily come. */
  onFrameHeader(type: number, flags: number, streamId: number, length: number): void;
  /** A frame of another type than DATA is complete: its payload is `buffer[start, end)`, valid during the call only. */
  onFrame(type: number, flags: number, streamId: number, buffer: Buffer, start: number, end: number): void;
  /** A DATA frame begins: `length` bytes of payload, of which `dataLength` are neither padding nor about it. */
  onDataFrame(flags: number, streamId: number, length: number, dataLength: number): void;
  /** The next bytes of the DATA frame's content. `isLast`: all have come; a frame without content has one such call. */
  onDataBytes(buffer: Buffer, start: number, end: number, isLast: boolean): void;
  /** The padding of a DATA frame doesn't fit into it. */
  onBadPadding(): void;
}

const State = { preface: 0, header: 1, payload: 2, padLength: 3, data: 4, skipped: 5, stopped: 6 } as const;
const noBytes = Buffer.alloc(0);

/**
 * Cuts the bytes of one direction into frames, however they come. A frame that lies whole in what was read is handled where
 * it lies; of one that comes in parts the payload is gathered, except that of DATA, whose parts are passed on.
 */
export class FrameReader {
  private readonly sink: FrameSink;
  private state: number;
  /** Bytes of the preface, or of a frame's header, that have come. */
  private filled = 0;
  private length = 0;
  private type = 0;
  private flags = 0;
  private streamId = 0;
  /** Bytes of the current part of the payload that are still to come. */
  private left = 0;
  /** Bytes of padding behind the content of a DATA frame. */
  private padding = 0;
  private gathered: Buffer = noBytes;

  /** `expectsPreface`: the peer is a client. */
  constructor(sink: FrameSink, expectsPreface: boolean) {
    this.sink = sink;
    this.state = expectsPreface ? State.preface : State.header;
  }

  /** Nothing that comes from now on is looked at, the rest of the current bytes included. */
  stop(): void {
    this.state = State.stopped;
    this.gathered = noBytes;
  }

  /** Takes the next bytes, all of them. */
  read(buffer: Buffer, start: number, end: number): void {
    let at = start;
    while (at >= 0) {
      switch (this.state) {
        case State.header:
          at = this.readHeader(buffer, at, end);
          break;
        case State.data:
          at = this.readData(buffer, at, end);
          break;
        case State.payload:
          at = this.readPayload(buffer, at, end);
          break;
        case State.padLength:
          at = this.readPadLength(buffer, at, end);
          break;
        case State.skipped:
          at = this.skip(at, end);
          break;
        case State.preface:
          at = this.readPreface(buffer, at, end);
          break;
        default:
          return;
      }
    }
  }

  // Each of these returns the position up to which it has read, or -1 where more bytes are needed.

  private readPreface(buffer: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      if (buffer[at++] !== clientPreface[this.filled]) {
        this.sink.onBadPreface();
        return -1;
      }
      if (++this.filled === clientPreface.length) {
        this.filled = 0;
        this.state = State.header;
        return at;
      }
    }
    return -1;
  }

  private readHeader(buffer: Buffer, start: number, end: number): number {
    let at = start;
    if (this.filled === 0 && end - at >= frameHeaderBytes) {
      this.length = (buffer[at]! << 16) | (buffer[at + 1]! << 8) | buffer[at + 2]!;
      this.type = buffer[at + 3]!;
      this.flags = buffer[at + 4]!;
      this.streamId = readUint31(buffer, at + 5);
      at += frameHeaderBytes;
    } else {
      while (at < end && this.filled < frameHeaderBytes) this.addToHeader(buffer[at++]!);
      if (this.filled < frameHeaderBytes) return -1;
      this.filled = 0;
      this.streamId &= 0x7fff_ffff;
    }
    this.left = this.length;
    this.sink.onFrameHeader(this.type, this.flags, this.streamId, this.length);
    if (this.state === State.stopped) return -1;
    if (this.type === FrameType.data) this.beginData();
    else this.state = this.type <= FrameType.continuation ? State.payload : State.skipped;
    return at;
  }

  private addToHeader(byte: number): void {
    const index = this.filled++;
    if (index === 0) {
      this.length = byte;
      this.streamId = 0;
    } else if (index < 3) this.length = (this.length << 8) | byte;
    else if (index === 3) this.type = byte;
    else if (index === 4) this.flags = byte;
    else this.streamId = (this.streamId << 8) | byte;
  }

  private beginData(): void {
    this.padding = 0;
    if ((this.flags & FrameFlag.padded) !== 0) {
      this.state = State.padLength;
      return;
    }
    this.state = State.data;
    this.sink.onDataFrame(this.flags, this.streamId, this.length, this.length);
  }

  private readPadLength(buffer: Buffer, at: number, end: number): number {
    if (this.length > 0 && at === end) return -1;
    const padding = this.length === 0 ? 0 : buffer[at]!;
    if (padding >= this.length) {
      this.sink.onBadPadding();
      return -1;
    }
    this.padding = padding;
    this.left = this.length - 1 - padding;
    this.state = State.data;
    this.sink.onDataFrame(this.flags, this.streamId, this.length, this.left);
    return at + 1;
  }

  private readData(buffer: Buffer, at: number, end: number): number {
    const { left } = this;
    if (at === end && left > 0) return -1;
    const stop = end - at < left ? end : at + left;
    this.left = left - (stop - at);
    if (this.left > 0) {
      this.sink.onDataBytes(buffer, at, stop, false);
      return -1;
    }
    this.left = this.padding;
    this.state = this.padding === 0 ? State.header : State.skipped;
    this.sink.onDataBytes(buffer, at, stop, true);
    return stop;
  }

  private skip(at: number, end: number): number {
    const available = end - at;
    if (available < this.left) {
      this.left -= available;
      return -1;
    }
    this.state = State.header;
    return at + this.left;
  }

  private readPayload(buffer: Buffer, at: number, end: number): number {
    const { length } = this;
    const available = end - at;
    if (this.left === length && available >= length) {
      this.state = State.header;
      this.sink.onFrame(this.type, this.flags, this.streamId, buffer, at, at + length);
      return at + length;
    }
    if (available === 0) return -1;
    if (this.gathered.length === 0) this.gathered = Buffer.allocUnsafe(length);
    const taken = available < this.left ? available : this.left;
    buffer.copy(this.gathered, length - this.left, at, at + taken);
    this.left -= taken;
    if (this.left > 0) return -1;
    const { gathered } = this;
    // A connection between two frames owns no memory but its state.
    this.gathered = noBytes;
    this.state = State.header;
    this.sink.onFrame(this.type, this.flags, this.streamId, gathered, 0, length);
    return at + taken;
  }
}
