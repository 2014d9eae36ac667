// Hot path.
import { type ConnectionFault, Faults } from './connection-fault.ts';

const noBytes = Buffer.alloc(0);
/** A block needs no more than that where its frames are full; a few more are for those who send small ones. */
const fullFrameBytes = 16_384;
const spareContinuations = 8;

/** A header block that comes in several frames: HEADERS, and CONTINUATION behind it (RFC 9113 §6.10). */
export class HeaderBlock {
  /** The stream that it belongs to; 0 where there is none. */
  streamId = 0;
  /** Flags of its HEADERS frame. */
  flags = 0;
  /** By the priority in its HEADERS frame (RFC 9113 §5.3.1 of old): its owner's. */
  dependsOnItself = false;
  length = 0;
  buffer: Buffer = noBytes;
  private frames = 0;
  private readonly maxBytes: number;
  private readonly maxFrames: number;

  /** `maxListBytes`: what the list that it stands for may have. Encoded it has no more, changes of the table's size aside. */
  constructor(maxListBytes: number) {
    this.maxBytes = maxListBytes + fullFrameBytes;
    this.maxFrames = Math.ceil(maxListBytes / fullFrameBytes) + spareContinuations;
  }

  /** Begins with a HEADERS frame that isn't the block's end. */
  begin(streamId: number, flags: number, buffer: Buffer, start: number, end: number): ConnectionFault | null {
    this.streamId = streamId;
    this.flags = flags;
    this.length = 0;
    this.frames = 0;
    return this.add(buffer, start, end);
  }

  /** Adds the next part. Returns what is wrong, or null. */
  add(buffer: Buffer, start: number, end: number): ConnectionFault | null {
    const needed = this.length + end - start;
    if (needed > this.maxBytes) return Faults.headerBlockTooLarge;
    if (++this.frames > this.maxFrames) return Faults.tooManyContinuations;
    if (needed > this.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(
        Math.min(this.maxBytes, Math.max(needed, this.buffer.length * 2)),
      );
      this.buffer.copy(larger, 0, 0, this.length);
      this.buffer = larger;
    }
    buffer.copy(this.buffer, this.length, start, end);
    this.length = needed;
    return null;
  }

  /** The block is complete, and its bytes are of no more use. */
  clear(): void {
    this.streamId = 0;
    this.buffer = noBytes;
    this.length = 0;
  }
}
