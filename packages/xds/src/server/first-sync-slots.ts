/**
 * Lets only so many streams be in their first sync at once: a control plane that was restarted would otherwise encode and
 * buffer for every proxy of the mesh in the same moment.
 */
export class FirstSyncSlots {
  private readonly limit: number;
  private readonly waiting = new Set<() => void>();
  private used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Takes a slot; false where `onFree` will be called once one has been taken for the caller. */
  acquire(onFree: () => void): boolean {
    if (this.used < this.limit) {
      this.used++;
      return true;
    }
    this.waiting.add(onFree);
    return false;
  }

  /** Gives up waiting. */
  abandon(onFree: () => void): void {
    this.waiting.delete(onFree);
  }

  /** Gives a slot back; the one who has waited longest gets it. */
  release(): void {
    for (const next of this.waiting) {
      this.waiting.delete(next);
      next();
      return;
    }
    this.used--;
  }
}
