// Hot path.
import { ChunkScanner } from './chunk-scanner.ts';
import { HeadScanner } from './head-scanner.ts';
import { RequestHead } from './request-head.ts';
import { TrailerReader } from './trailer-reader.ts';

/** So many wait for the next burst. */
const maxFree = 64;

/** What reads a request: a connection has one from a head's first byte until the request has been answered. */
export class RequestReader {
  readonly scanner: HeadScanner;
  readonly head = new RequestHead();
  readonly chunks = new ChunkScanner();
  private trailerReader: TrailerReader | null = null;
  private readonly maxFields: number;

  constructor(maxHeadBytes: number, maxFields: number) {
    this.scanner = new HeadScanner(true, maxHeadBytes, maxFields);
    this.maxFields = maxFields;
  }

  /** Made for the first chunked body whose trailers anybody wants. */
  get trailers(): TrailerReader {
    return (this.trailerReader ??= new TrailerReader(this.maxFields));
  }

  /** Forgets the last request, however far it came. */
  clear(): void {
    this.scanner.reset();
    this.head.clear();
    this.trailerReader?.clear();
  }
}

/**
 * Readers that nobody needs now. Between requests a connection has none: of 5,000 idle connections they would be 5 MiB.
 */
class RequestReaderPool {
  private readonly free: RequestReader[] = [];

  /** A reader with these limits, which has seen nothing. */
  take(maxHeadBytes: number, maxFields: number): RequestReader {
    const reader = this.free.pop();
    return reader !== undefined && reader.scanner.hasLimits(maxHeadBytes, maxFields)
      ? reader
      : new RequestReader(maxHeadBytes, maxFields);
  }

  /** Takes a reader back, and with it what its head is made of. */
  giveBack(reader: RequestReader): void {
    reader.clear();
    if (this.free.length < maxFree) this.free.push(reader);
  }
}

/** All connections of a thread share one: a reader keeps nothing between two requests. */
export const requestReaders = new RequestReaderPool();
