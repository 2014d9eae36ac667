// Hot path.

const generationSize = 512;
const maxHostLength = 255;

/**
 * Remembers which entry each recent host name led to, hits and misses alike, in at most 2 × 512 slots. Two generations
 * instead of a list in order of use: a read writes nothing, and a client that invents names can only turn over the cache.
 */
export class HostCache<T> {
  private young = new Map<string, T | null>();
  private old = new Map<string, T | null>();

  /** Undefined where the host isn't known here. */
  get(host: string): T | null | undefined {
    const entry = this.young.get(host);
    if (entry !== undefined) return entry;
    const older = this.old.get(host);
    if (older !== undefined) this.set(host, older);
    return older;
  }

  set(host: string, entry: T | null): void {
    if (host.length > maxHostLength) return;
    if (this.young.size >= generationSize) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(host, entry);
  }
}
