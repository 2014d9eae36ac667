// Hot path.
import { FrameType, initialWindowBytes, writeUint32 } from './frame.ts';
import type { FrameOutput } from './frame-output.ts';
import { type Http2Stream, MessageState } from './http2-stream.ts';
import type { Http2Options } from './http2-options.ts';

/**
 * What the peer may send, on the connection and on each of its streams. Bytes are given back once whoever they were told to
 * is done with them, as soon as that makes half a window: so the peer's pace is that of whoever they are passed on to.
 */
export class ReceiveWindows {
  /** What a new stream's window is. */
  streamWindow: number;
  private readonly output: FrameOutput;
  private readonly fullStreamWindow: number;
  private readonly fullWindow: number;
  private window = initialWindowBytes;
  private unreturned = 0;

  constructor(output: FrameOutput, options: Http2Options) {
    this.output = output;
    this.fullStreamWindow = options.initialStreamWindowSize;
    this.fullWindow = Math.max(initialWindowBytes, options.initialConnectionWindowSize);
    // Until it has heard otherwise, a peer takes the window to be as large as the RFC says.
    this.streamWindow = Math.max(initialWindowBytes, this.fullStreamWindow);
  }

  /** Makes the connection's window as large as it is to be. */
  open(): void {
    const increment = this.fullWindow - this.window;
    if (increment > 0) this.update(0, increment);
    this.window = this.fullWindow;
  }

  /** The peer has acknowledged our SETTINGS: the change of each open stream's window. */
  onAcknowledged(): number {
    const change = this.fullStreamWindow - this.streamWindow;
    this.streamWindow = this.fullStreamWindow;
    return change;
  }

  /** A DATA frame of `length` bytes has come. False: the connection's window is exceeded. */
  take(length: number): boolean {
    this.window -= length;
    return this.window >= 0;
  }

  /** As `take`, of a stream. */
  takeOf(stream: Http2Stream, length: number): boolean {
    stream.receiveWindow -= length;
    return stream.receiveWindow >= 0;
  }

  /** `length` bytes of a stream are done with. */
  giveBack(stream: Http2Stream, length: number): void {
    this.giveBackUnowned(length);
    if (stream.received === MessageState.ended) return;
    stream.unreturned += length;
    if (stream.unreturned * 2 < this.fullStreamWindow) return;
    stream.receiveWindow += stream.unreturned;
    this.update(stream.id, stream.unreturned);
    stream.unreturned = 0;
  }

  /** `length` bytes of no stream that there still is are done with. */
  giveBackUnowned(length: number): void {
    this.unreturned += length;
    if (this.unreturned * 2 < this.fullWindow) return;
    this.window += this.unreturned;
    this.update(0, this.unreturned);
    this.unreturned = 0;
  }

  private update(streamId: number, increment: number): void {
    const at = this.output.begin(FrameType.windowUpdate, 0, streamId, 4);
    writeUint32(this.output.block, at, increment);
  }
}
