/** The configuration's past as the API tells it. */
import type { HistoryChange, HistoryDetail, HistoryEntry } from '../api/types.ts';
import type { Commit, CommittedChange, StoredObject } from '../store/config-store.ts';

/** A commit without the objects' texts. */
export function describeCommit({ revision, at, author, changes }: Commit): HistoryEntry {
  return { revision, at, author, changes: changes.map(describeChange) };
}

/** A commit with what it changed, before and after. */
export function describeCommitInFull(commit: Commit): HistoryDetail {
  return {
    ...describeCommit(commit),
    changes: commit.changes.map((change) => ({
      ...describeChange(change),
      before: objectOf(change.type === 'put' ? change.previous : change.object),
      after: objectOf(change.type === 'put' ? change.object : undefined),
    })),
  };
}

function describeChange(change: CommittedChange): HistoryChange {
  const { apiVersion, kind, namespace, name } = change.object;
  return { apiVersion, kind, namespace, name, change: wordOf(change) };
}

function wordOf(change: CommittedChange): HistoryChange['change'] {
  if (change.type === 'delete') return 'deleted';
  return change.previous === undefined ? 'created' : 'configured';
}

/** The object as it was written, without what a Secret holds. A text that can't be read any more is shown as it is. */
function objectOf(stored: StoredObject | undefined): unknown {
  if (stored === undefined) return null;
  const isSecret = stored.kind === 'Secret';
  try {
    return JSON.parse(stored.source, (key, value: unknown) =>
      isSecret && (key === 'data' || key === 'stringData') ? hidden(value) : value,
    );
  } catch {
    return isSecret ? hiddenText : stored.source;
  }
}

const hiddenText = '(hidden)';

/** The names that a Secret has values for. */
function hidden(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return hiddenText;
  return Object.fromEntries(Object.keys(value).map((key) => [key, hiddenText]));
}
