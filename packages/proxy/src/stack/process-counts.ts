// Hot path.
// What a limit counts, over all threads of the process: Envoy's limits hold for processes, so ours do.

/** A number of things that the process holds at this moment. */
export interface ProcessCount {
  readonly value: number;
  /** One more; returns how many that makes. */
  add(): number;
  /** One more where there are fewer than `limit`, whatever other threads do meanwhile. */
  tryAdd(limit: number): boolean;
  /** One less; returns how many are left. */
  remove(): number;
  /** Gives the count back, at once or when nothing that this owner has counted is there any more. */
  close(): void;
}

/** Counts by name: all who open the same name count the same thing. */
export interface ProcessCounts {
  /** Other threads count too. */
  readonly isShared: boolean;
  open(name: string): ProcessCount;
}

class LocalCount implements ProcessCount {
  value = 0;
  users = 0;
  private readonly onUnused: () => void;

  constructor(onUnused: () => void) {
    this.onUnused = onUnused;
  }

  add(): number {
    return ++this.value;
  }

  tryAdd(limit: number): boolean {
    if (this.value >= limit) return false;
    this.value++;
    return true;
  }

  remove(): number {
    this.value--;
    if (this.users === 0 && this.value === 0) this.onUnused();
    return this.value;
  }

  close(): void {
    if (--this.users === 0 && this.value === 0) this.onUnused();
  }
}

/** The counts of a process with one thread. */
export class LocalCounts implements ProcessCounts {
  readonly isShared = false;
  private readonly counts = new Map<string, LocalCount>();

  open(name: string): ProcessCount {
    let count = this.counts.get(name);
    if (count === undefined) {
      count = new LocalCount(() => this.counts.delete(name));
      this.counts.set(name, count);
    }
    count.users++;
    return count;
  }
}
