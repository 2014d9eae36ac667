// Hot path.
// Counts in memory that all threads see: one atomic operation for each thing counted.
//
//   lock │ names: two words of a digest each │ users by thread │ held by thread │ totals, a cache line each
//
// What each thread holds is kept beside the total, so that the share of a thread that crashed can be taken away.
import { createHash } from 'node:crypto';
import { invariant } from '@heddle/base';
import { LocalCounts, type ProcessCount, type ProcessCounts } from '../stack/process-counts.ts';

/** Names at a time. Those beyond are counted by each thread alone. */
const capacity = 8192;
/** Totals that different threads move must not share a cache line. */
const wordsPerLine = 16;
const wordBytes = 4;

const free = 0;
const taken = 1;

interface Layout {
  readonly names: number;
  readonly users: number;
  readonly held: number;
  readonly totals: number;
  readonly words: number;
}

function layoutOf(threads: number): Layout {
  const names = wordsPerLine;
  const users = names + 2 * capacity;
  const held = users + threads * capacity;
  const totals = held + threads * capacity;
  return { names, users, held, totals, words: totals + capacity * wordsPerLine };
}

/** Memory for the counts of so many threads; pages that nobody writes to are never taken from the system. */
export function allocateCounts(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(layoutOf(threads).words * wordBytes);
}

/** One thread's access to the counts of all. */
export class SharedCounts implements ProcessCounts {
  readonly isShared = true;
  private readonly words: Int32Array;
  private readonly thread: number;
  private readonly layout: Layout;
  /** For names beyond those that there is room for. */
  private readonly others = new LocalCounts();

  /** `thread`: 0 for the main one, below the number that the memory was allocated for. */
  constructor(memory: SharedArrayBuffer, threads: number, thread: number) {
    this.layout = layoutOf(threads);
    this.words = new Int32Array(memory);
    this.thread = thread;
    invariant(this.words.length === this.layout.words && thread < threads, 'all threads see the same memory');
  }

  open(name: string): ProcessCount {
    const digest = createHash('sha256').update(name).digest();
    // Zero is for what nobody has ever named.
    const first = digest.readInt32LE(0) | 1;
    const second = digest.readInt32LE(4);
    const slot = this.locked(() => this.take(first, second));
    if (slot < 0) return this.others.open(name);
    const { words, thread, layout } = this;
    const ofThread = thread * capacity + slot;
    return new SharedCount(words, layout.totals + slot * wordsPerLine, layout.held + ofThread, () =>
      this.locked(() => words[layout.users + ofThread]!--),
    );
  }

  /** Takes away what a thread counts that is no more. */
  forget(thread: number): void {
    const { words, layout } = this;
    this.locked(() => {
      for (let slot = 0; slot < capacity; slot++) {
        const heldAt = layout.held + thread * capacity + slot;
        const held = words[heldAt]!;
        if (held !== 0) Atomics.sub(words, layout.totals + slot * wordsPerLine, held);
        words[heldAt] = 0;
        words[layout.users + thread * capacity + slot] = 0;
      }
    });
  }

  /** The slot of a name, now with one user more; -1 where there is none left. Searched from where its digest says on. */
  private take(first: number, second: number): number {
    const { words, thread, layout } = this;
    let unused = -1;
    for (let step = 0; step < capacity; step++) {
      const slot = ((first >>> 0) + step) % capacity;
      const nameAt = layout.names + 2 * slot;
      if (words[nameAt] === first && words[nameAt + 1] === second) {
        unused = slot;
        break;
      }
      const isNew = words[nameAt] === 0;
      if (unused < 0 && (isNew || !this.hasUsers(slot))) unused = slot;
      if (isNew) break;
    }
    if (unused < 0) return -1;
    if (!this.hasUsers(unused)) this.clear(unused);
    words[layout.names + 2 * unused] = first;
    words[layout.names + 2 * unused + 1] = second;
    words[layout.users + thread * capacity + unused]!++;
    return unused;
  }

  private clear(slot: number): void {
    const { words, layout } = this;
    words[layout.totals + slot * wordsPerLine] = 0;
    for (let at = layout.held + slot; at < layout.totals; at += capacity) words[at] = 0;
  }

  private hasUsers(slot: number): boolean {
    const { words, layout } = this;
    for (let at = layout.users + slot; at < layout.held; at += capacity) if (words[at] !== 0) return true;
    return false;
  }

  private locked<T>(work: () => T): T {
    const { words } = this;
    while (Atomics.compareExchange(words, 0, free, taken) !== free) Atomics.wait(words, 0, taken, 1);
    try {
      return work();
    } finally {
      Atomics.store(words, 0, free);
      Atomics.notify(words, 0, 1);
    }
  }
}

class SharedCount implements ProcessCount {
  private readonly words: Int32Array;
  private readonly totalAt: number;
  private readonly heldAt: number;
  private readonly giveBack: () => void;
  /** What this owner has counted. */
  private own = 0;
  private isClosed = false;

  constructor(words: Int32Array, totalAt: number, heldAt: number, giveBack: () => void) {
    this.words = words;
    this.totalAt = totalAt;
    this.heldAt = heldAt;
    this.giveBack = giveBack;
  }

  get value(): number {
    // One word is never torn, and a moment ago is as good as now: others count on while this is looked at.
    return this.words[this.totalAt]!;
  }

  add(): number {
    this.own++;
    this.words[this.heldAt]!++;
    return Atomics.add(this.words, this.totalAt, 1) + 1;
  }

  tryAdd(limit: number): boolean {
    if (this.add() <= limit) return true;
    this.remove();
    return false;
  }

  remove(): number {
    this.words[this.heldAt]!--;
    const left = Atomics.sub(this.words, this.totalAt, 1) - 1;
    if (--this.own === 0 && this.isClosed) this.giveBack();
    return left;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.own === 0) this.giveBack();
  }
}
