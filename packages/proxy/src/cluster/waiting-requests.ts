// Hot path.

/**
 * Those who wait for a connection, in the order in which they came; sets, so that one can leave from the middle. Some want
 * a connection that carried nothing before.
 */
export class WaitingRequests<W> {
  private readonly anyKind = new Set<W>();
  private readonly freshOnly = new Set<W>();

  get size(): number {
    return this.anyKind.size + this.freshOnly.size;
  }

  /** How many want a fresh connection. */
  get wantFresh(): number {
    return this.freshOnly.size;
  }

  add(waiter: W, wantsFresh: boolean): void {
    (wantsFresh ? this.freshOnly : this.anyKind).add(waiter);
  }

  /** False for one that doesn't wait. */
  remove(waiter: W): boolean {
    return this.anyKind.delete(waiter) || this.freshOnly.delete(waiter);
  }

  /** The next one that a connection is for, no longer waiting; null for nobody. */
  next(isFresh: boolean): W | null {
    const queue = isFresh && this.freshOnly.size > 0 ? this.freshOnly : this.anyKind;
    if (queue.size === 0) return null;
    const [first] = queue;
    queue.delete(first!);
    return first!;
  }

  /** All of them, no longer waiting. */
  takeAll(): W[] {
    const all = [...this.freshOnly, ...this.anyKind];
    this.freshOnly.clear();
    this.anyKind.clear();
    return all;
  }
}
