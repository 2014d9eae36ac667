import { HeddleError } from '@heddle/base';
import type { Commit, StoreWatch } from './config-store.ts';

/** The watches of one store: each is told of every commit once and in order. */
export class CommitWatchers {
  private readonly listeners = new Set<(commit: Commit) => void>();

  /** Tells `onCommit` the `past` at once and everything that is published later. */
  add(past: readonly Commit[], onCommit: (commit: Commit) => void): StoreWatch {
    for (const commit of past) onCommit(commit);
    // A fresh function each time: the same callback may watch twice.
    const listener = (commit: Commit): void => onCommit(commit);
    this.listeners.add(listener);
    return {
      close: () => {
        this.listeners.delete(listener);
      },
    };
  }

  publish(commit: Commit): void {
    for (const listener of this.listeners) listener(commit);
  }

  close(): void {
    this.listeners.clear();
  }
}

/** The refusal of a watch that starts before the history does. */
export function compacted(afterRevision: number, oldestRevision: number): HeddleError {
  return new HeddleError(
    'HEDDLE_STORE_COMPACTED',
    `The configuration's history starts at revision ${oldestRevision}; changes after revision ${afterRevision} are gone: read everything anew.`,
  );
}
