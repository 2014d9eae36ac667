/** What a batch of changes comes to: the part of a commit that all stores share. */
import { invariant } from '@heddle/base';
import {
  objectKeyText,
  type CommittedChange,
  type ObjectKey,
  type StoreChange,
  type StoreConflict,
  type StoredObject,
} from './config-store.ts';

/** Either the changes to write, perhaps none, or the first conflict. */
export type CommitPlan =
  | { readonly kind: 'write'; readonly changes: readonly CommittedChange[] }
  | { readonly kind: 'conflict'; readonly conflict: StoreConflict };

/** Judges `changes` against what is stored (`find`), as revision `revision` at `at`. Writes nothing. */
export function planCommit(
  changes: readonly StoreChange[],
  find: (key: ObjectKey) => StoredObject | undefined,
  revision: number,
  at: number,
): CommitPlan {
  const seen = new Set<string>();
  const planned: CommittedChange[] = [];
  for (const change of changes) {
    const text = objectKeyText(change.key);
    invariant(!seen.has(text), `the batch names ${text} twice`);
    seen.add(text);
    const present = find(change.key);
    const actualRevision = present?.revision ?? 0;
    const expectedRevision = change.expectedRevision;
    if (expectedRevision !== undefined && expectedRevision !== actualRevision) {
      return { kind: 'conflict', conflict: { key: change.key, expectedRevision, actualRevision } };
    }
    if (change.type === 'delete') {
      if (present !== undefined) planned.push({ type: 'delete', object: present });
      continue;
    }
    if (present?.source === change.source && present.apiVersion === change.apiVersion) continue;
    planned.push({ type: 'put', object: written(change, present, revision, at), previous: present });
  }
  return { kind: 'write', changes: planned };
}

function written(
  change: StoreChange & { readonly type: 'put' },
  present: StoredObject | undefined,
  revision: number,
  at: number,
): StoredObject {
  const { group, kind, namespace, name } = change.key;
  const grown = present?.specDigest === change.specDigest ? 0 : 1;
  return {
    group,
    kind,
    namespace,
    name,
    apiVersion: change.apiVersion,
    source: change.source,
    specDigest: change.specDigest,
    revision,
    createdRevision: present?.createdRevision ?? revision,
    createdAt: present?.createdAt ?? at,
    updatedAt: at,
    generation: (present?.generation ?? 0) + grown,
  };
}
