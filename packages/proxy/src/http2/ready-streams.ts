// Hot path.
import type { Http2Stream } from './http2-stream.ts';

/** The streams that have bytes to send and whose windows take some, in the order in which it is their turn. */
export class ReadyStreams {
  /** Whose turn it is. */
  first: Http2Stream | null = null;
  private last: Http2Stream | null = null;

  /** Puts a stream at the end, where it isn't in the round yet. */
  add(stream: Http2Stream): void {
    if (stream.isReady) return;
    stream.isReady = true;
    stream.previousReady = this.last;
    if (this.last === null) this.first = stream;
    else this.last.nextReady = stream;
    this.last = stream;
  }

  remove(stream: Http2Stream): void {
    if (!stream.isReady) return;
    stream.isReady = false;
    const { previousReady: previous, nextReady: next } = stream;
    if (previous === null) this.first = next;
    else previous.nextReady = next;
    if (next === null) this.last = previous;
    else next.previousReady = previous;
    stream.previousReady = null;
    stream.nextReady = null;
  }
}
