// Hot path.
import type { Http2Stream } from './http2-stream.ts';

/** The open streams of a connection. */
export class StreamTable {
  private readonly byId = new Map<number, Http2Stream>();
  /** What was looked up last is often looked up next. */
  private last: Http2Stream | null = null;

  get size(): number {
    return this.byId.size;
  }

  find(id: number): Http2Stream | null {
    const { last } = this;
    if (last !== null && last.id === id) return last;
    const found = this.byId.get(id);
    if (found === undefined) return null;
    this.last = found;
    return found;
  }

  add(stream: Http2Stream): void {
    this.byId.set(stream.id, stream);
    this.last = stream;
  }

  remove(stream: Http2Stream): void {
    this.byId.delete(stream.id);
    if (this.last === stream) this.last = null;
  }

  /** Streams may be added and removed meanwhile. */
  values(): IterableIterator<Http2Stream> {
    return this.byId.values();
  }
}
