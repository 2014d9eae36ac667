/**
 * What people wrote: durable, versioned, changed in atomic batches. One contract, several stores (SQLite, memory; etcd
 * and Kubernetes fit it too), one contract test for all of them.
 */

/** Names an object. The API version is no part of its identity: `v1beta1` and `v1` are the same object. */
export interface ObjectKey {
  /** API group, such as `networking.istio.io`. */
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** An object as stored. */
export interface StoredObject extends ObjectKey {
  /** Group and version as written, such as `networking.istio.io/v1beta1`. */
  readonly apiVersion: string;
  /** The document as its author wrote it; the store never looks into it. */
  readonly source: string;
  /** Digest of the object's spec: `generation` grows when it changes. */
  readonly specDigest: string;
  /** Revision of the commit that wrote it last. */
  readonly revision: number;
  /** Revision of the commit that created it. */
  readonly createdRevision: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Milliseconds since 1970. */
  readonly updatedAt: number;
  /** 1 at creation, one more with each change of the spec. */
  readonly generation: number;
}

/** One member of a batch. */
export type StoreChange =
  | {
      readonly type: 'put';
      readonly key: ObjectKey;
      readonly apiVersion: string;
      readonly source: string;
      readonly specDigest: string;
      /** Only if the object has this revision; 0: only if it doesn't exist. Absent: whatever it is. */
      readonly expectedRevision?: number;
    }
  | {
      readonly type: 'delete';
      readonly key: ObjectKey;
      /** Only if the object has this revision. Absent: whatever it is; a missing object is no error. */
      readonly expectedRevision?: number;
    };

/** What one member of a committed batch did. */
export type CommittedChange =
  | { readonly type: 'put'; readonly object: StoredObject }
  /** `object` is what was there before. */
  | { readonly type: 'delete'; readonly object: StoredObject };

/** One committed batch. Revisions grow by one with each commit, without gaps. */
export interface Commit {
  readonly revision: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Who did it, such as `cli` or `dashboard`. */
  readonly author: string;
  readonly changes: readonly CommittedChange[];
}

/** Why a batch was refused as a whole: somebody else changed an object in between. */
export interface StoreConflict {
  readonly key: ObjectKey;
  readonly expectedRevision: number;
  /** 0 where the object doesn't exist. */
  readonly actualRevision: number;
}

/**
 * The outcome of `commit`. `unchanged` where the batch had nothing to do: no revision is spent.
 */
export type CommitOutcome =
  | { readonly kind: 'committed'; readonly commit: Commit }
  | { readonly kind: 'unchanged'; readonly revision: number }
  | { readonly kind: 'conflict'; readonly conflict: StoreConflict };

/** Everything at one revision, sorted by group, kind, namespace, name. */
export interface StoreSnapshot {
  readonly revision: number;
  readonly objects: readonly StoredObject[];
}

export interface StoreWatch {
  /** No call follows. Idempotent. */
  close(): void;
}

/** Failures of the store itself (disk full, connection lost) reject with a `HeddleError`. */
export interface ConfigStore {
  /** Everything there is. */
  read(): Promise<StoreSnapshot>;
  /** One object. */
  get(key: ObjectKey): Promise<StoredObject | undefined>;
  /**
   * Applies all changes or none, and returns only when they are durable. No key may appear twice. A put that writes what
   * is there already changes nothing.
   */
  commit(changes: readonly StoreChange[], author: string): Promise<CommitOutcome>;
  /**
   * Calls `onCommit` for each commit after `afterRevision`, in order, each once: first those that lie in the past, before
   * this returns, then each as it happens. Throws `HEDDLE_STORE_COMPACTED` where the history doesn't reach back so far:
   * read everything anew then.
   */
  watch(afterRevision: number, onCommit: (commit: Commit) => void): StoreWatch;
  /** The latest commits, newest first, of one object or of all. */
  history(options: { readonly key?: ObjectKey; readonly limit: number }): Promise<readonly Commit[]>;
  /** Idempotent. Watches get no more calls. */
  close(): Promise<void>;
}

/** How many commits a store keeps for watches and history. */
export const historyLimit = 10_000;

/** A key as one string, for maps. */
export function objectKeyText(key: ObjectKey): string {
  return `${key.group}/${key.kind}/${key.namespace}/${key.name}`;
}

/** Orders by group, kind, namespace, name, by code unit: the same everywhere. */
export function compareKeys(a: ObjectKey, b: ObjectKey): number {
  return (
    compareText(a.group, b.group) ||
    compareText(a.kind, b.kind) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name)
  );
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Whether two keys name the same object. */
export function sameKey(a: ObjectKey, b: ObjectKey): boolean {
  return a.name === b.name && a.namespace === b.namespace && a.kind === b.kind && a.group === b.group;
}
