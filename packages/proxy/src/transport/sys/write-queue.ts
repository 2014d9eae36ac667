// Hot path.
// What a connection has been given to write and the kernel has not taken yet.
import { type ReadBuffer, readBuffers } from '../read-buffers.ts';
import { ErrorNumber, type Kernel, stagingBytes } from './kernel.ts';

/** More than this waiting for a peer holds the writer up: the mark of Node's streams. */
const highWaterBytes = 64 * 1024;

/** `bytes[start, end)`, of a read buffer that is held until they are gone, or of memory of their own. */
class Piece {
  readonly bytes: Buffer;
  start: number;
  readonly end: number;
  readonly lender: ReadBuffer | null;

  constructor(bytes: Buffer, start: number, end: number, lender: ReadBuffer | null) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.lender = lender;
    if (lender !== null) lender.users++;
  }
}

/** Where a read buffer's memory is. */
export function addressOf(kernel: Kernel, buffer: ReadBuffer): bigint {
  if (buffer.address === 0n) buffer.address = kernel.addressOf(buffer.bytes);
  return buffer.address;
}

export class WriteQueue {
  private readonly kernel: Kernel;
  private readonly pieces: Piece[] = [];
  private bytes = 0;
  /** A writer has been told to wait until it is empty. */
  owesDrain = false;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  /** Adds a copy of `buffer[start, end)`. False where more than enough waits. */
  add(buffer: Buffer, start: number, end: number): boolean {
    const copy = Buffer.from(buffer.subarray(start, end));
    return this.push(new Piece(copy, 0, copy.length, null));
  }

  /** As `add`, without a copy: `lender` is read into again only once the bytes are gone. */
  lend(lender: ReadBuffer, start: number, end: number): boolean {
    return this.push(new Piece(lender.bytes, start, end, lender));
  }

  /** Writes what the kernel takes. Returns 0, or the number of the error with which it failed; EAGAIN is none. */
  flush(fd: number): number {
    const { kernel, pieces } = this;
    while (pieces.length > 0) {
      const first = pieces[0]!;
      const length = first.lender === null ? this.stage() : first.end - first.start;
      const address =
        first.lender === null ? kernel.stagingAddress : addressOf(kernel, first.lender) + BigInt(first.start);
      const count = kernel.write(fd, address, length);
      if (count < 0) return kernel.errorNumber === ErrorNumber.EAGAIN ? 0 : kernel.errorNumber;
      this.drop(count);
      if (count < length) return 0;
    }
    return 0;
  }

  /** Forgets everything. */
  clear(): void {
    this.drop(this.bytes);
  }

  private push(piece: Piece): boolean {
    this.pieces.push(piece);
    this.bytes += piece.end - piece.start;
    if (this.bytes <= highWaterBytes) return true;
    this.owesDrain = true;
    return false;
  }

  /** Copies the first pieces, up to one that is lent, to where the kernel finds them: many small ones leave in one call. */
  private stage(): number {
    const { staging } = this.kernel;
    let length = 0;
    for (const { bytes, start, end, lender } of this.pieces) {
      if (lender !== null || length === stagingBytes) break;
      length += bytes.copy(staging, length, start, end);
    }
    return length;
  }

  /** Takes the first bytes away. */
  private drop(count: number): void {
    this.bytes -= count;
    let left = count;
    while (left > 0) {
      const first = this.pieces[0]!;
      const taken = Math.min(left, first.end - first.start);
      first.start += taken;
      left -= taken;
      if (first.start < first.end) return;
      this.pieces.shift();
      if (first.lender !== null) readBuffers.release(first.lender);
    }
  }
}
