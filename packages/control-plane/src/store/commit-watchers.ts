import { HeddleError } from '@heddle/base';
import type { Commit, StoreWatch, StoreWatcher } from './config-store.ts';

/** The watches of one store: each is told of every commit once and in order. */
export class CommitWatchers {
  private readonly watchers = new Set<StoreWatcher>();

  /** Tells `watcher` the `past` at once and everything that is published later. */
  add(past: readonly Commit[], watcher: StoreWatcher): StoreWatch {
    for (const commit of past) watcher.onCommit(commit);
    // A fresh object each time: the same watcher may watch twice.
    const entry: StoreWatcher = {
      onCommit: (commit) => watcher.onCommit(commit),
      onLost: (error) => watcher.onLost(error),
    };
    this.watchers.add(entry);
    return {
      close: () => {
        this.watchers.delete(entry);
      },
    };
  }

  publish(commit: Commit): void {
    for (const watcher of this.watchers) watcher.onCommit(commit);
  }

  /** Ends all watches: they have missed what can't be had any more. */
  lose(error: HeddleError): void {
    const lost = [...this.watchers];
    this.watchers.clear();
    for (const watcher of lost) watcher.onLost(error);
  }

  close(): void {
    this.watchers.clear();
  }
}

/** The refusal of a watch that starts before the history does. */
export function compacted(afterRevision: number, oldestRevision: number): HeddleError {
  return new HeddleError(
    'HEDDLE_STORE_COMPACTED',
    `The configuration's history starts at revision ${oldestRevision}; changes after revision ${afterRevision} are gone: read everything anew.`,
  );
}
