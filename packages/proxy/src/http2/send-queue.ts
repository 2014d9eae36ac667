// Hot path.
// What a stream has to send and its peer's windows don't take yet: copies, since the bytes are their sender's.

/** Pieces are not larger, and not smaller than what is put into them first. */
const maxPieceBytes = 16_384;
const minPieceBytes = 512;

/** Bytes in the order in which they came. */
export class SendQueue {
  /** Bytes in it. */
  length = 0;
  private readonly pieces: Buffer[] = [];
  /** Where the first piece's bytes begin, and the last one's end. */
  private start = 0;
  private end = 0;

  /** Adds `buffer[start, end)`. */
  add(buffer: Buffer, start: number, end: number): void {
    let at = start;
    this.length += end - start;
    while (at < end) {
      let last = this.pieces.at(-1);
      if (last === undefined || this.end === last.length) {
        const wanted = Math.max(minPieceBytes, end - at);
        last = Buffer.allocUnsafeSlow(Math.min(maxPieceBytes, wanted));
        this.pieces.push(last);
        this.end = 0;
      }
      const taken = Math.min(last.length - this.end, end - at);
      buffer.copy(last, this.end, at, at + taken);
      this.end += taken;
      at += taken;
    }
  }

  /** The first piece; its bytes lie from `pieceStart` to `pieceEnd`. Only where there is one. */
  get piece(): Buffer {
    return this.pieces[0]!;
  }

  get pieceStart(): number {
    return this.start;
  }

  get pieceEnd(): number {
    return this.pieces.length === 1 ? this.end : this.pieces[0]!.length;
  }

  /** Takes the first `bytes` of the first piece out. */
  take(bytes: number): void {
    this.length -= bytes;
    this.start += bytes;
    if (this.start < this.pieceEnd) return;
    this.pieces.shift();
    this.start = 0;
    if (this.pieces.length === 0) this.end = 0;
  }
}
