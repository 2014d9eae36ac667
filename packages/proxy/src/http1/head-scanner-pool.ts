// Hot path.
import { HeadScanner } from './head-scanner.ts';

/** So many wait for the next burst. */
const maxFree = 64;

/**
 * Scanners of request heads that nobody needs now. A connection has one from the first byte of a head until the request has
 * been answered, and between requests none: of 5,000 idle connections they would be 4 MiB.
 */
class HeadScannerPool {
  private readonly free: HeadScanner[] = [];

  /** A scanner with these limits, which has seen nothing. */
  take(maxBytes: number, maxFields: number): HeadScanner {
    const scanner = this.free.pop();
    return scanner !== undefined && scanner.hasLimits(maxBytes, maxFields)
      ? scanner
      : new HeadScanner(true, maxBytes, maxFields);
  }

  /** Takes a scanner back that has been reset, and whose `fields` nobody reads any more. */
  giveBack(scanner: HeadScanner): void {
    if (this.free.length < maxFree) this.free.push(scanner);
  }
}

/** All connections of a thread share one: their heads are scanned one after the other. */
export const requestScanners = new HeadScannerPool();
