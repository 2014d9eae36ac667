// Hot path.
// Bulk is forwarded without being copied. Behind a payload that lies in the buffer of a read lies the next frame's header,
// and before it its own, which has been looked at and is of no more use: the header of the frame that goes out is written
// there, and what goes out is a piece of the buffer that was read. Frames that follow each other in the buffer go out in one piece.
import { frameHeaderBytes } from './frame.ts';

/** Who is to write a piece of the buffer before the read is over. */
export interface Borrower {
  writeBorrowed(): void;
}

/** The read that is being handled: there is one at a time in a thread. */
export class LentRead {
  private buffer: Buffer | null = null;
  /** What lies before is in use: not yet looked at, or to be written. */
  private free = 0;
  private readonly borrowers: Borrower[] = [];

  /** From here on bytes before those that are passed on may be overwritten, down to `start`. */
  begin(buffer: Buffer, start: number): void {
    this.buffer = buffer;
    this.free = start;
  }

  /** The read is over: what was borrowed is written now. */
  end(): void {
    this.buffer = null;
    const { borrowers } = this;
    for (let i = 0; i < borrowers.length; i++) borrowers[i]!.writeBorrowed();
    borrowers.length = 0;
  }

  /** Whether `borrower` may write a header before `start`, and have `buffer[start, end)` as it is until it is written. */
  claim(buffer: Buffer, start: number, end: number): boolean {
    if (buffer !== this.buffer || start - frameHeaderBytes < this.free) return false;
    // Who passes the same bytes on to others too has the first keep them and the others copy them.
    this.free = end;
    return true;
  }

  /** `borrower` has to be told before the read is over. */
  add(borrower: Borrower): void {
    this.borrowers.push(borrower);
  }
}

/** This thread's. */
export const lentRead = new LentRead();
