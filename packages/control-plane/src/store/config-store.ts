/**
 * What people wrote: durable, versioned, changed in atomic batches. One contract, several stores (SQLite, memory, a
 * directory of files, etcd), one contract test for all of them (`testing/config-store-contract.ts`).
 */
import type { HeddleError } from '@heddle/base';

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
  /** `previous` is what was there before; undefined where the object is new. */
  | { readonly type: 'put'; readonly object: StoredObject; readonly previous: StoredObject | undefined }
  /** `object` is what was there before. */
  | { readonly type: 'delete'; readonly object: StoredObject };

/** One committed batch. Revisions grow by one with each commit, without gaps. */
export interface Commit {
  readonly revision: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Who did it: the subject of the token that was shown, such as `admin` or `alice`. */
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

/** What a watch calls. */
export interface StoreWatcher {
  /** Once for each commit, in order. Must not throw. */
  onCommit(commit: Commit): void;
  /**
   * The watch has ended by itself: the store could not be asked for so long that commits in between are gone
   * (`HEDDLE_STORE_COMPACTED`). Read everything anew and watch again. Anything less the store overcomes by itself.
   */
  onLost(error: HeddleError): void;
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
   * is there already changes nothing. When it resolves, whatever the outcome, this store's watches have been told of
   * every commit that the outcome stands on. Rejects with `HEDDLE_STORE_READ_ONLY` where the store is written by other
   * means, and with `HEDDLE_STORE_TOO_LARGE` where the batch is more than it takes at once.
   */
  commit(changes: readonly StoreChange[], author: string): Promise<CommitOutcome>;
  /**
   * Tells `watcher` each commit after `afterRevision`, in order, each once: first those that lie in the past, before the
   * promise resolves, then each as it happens. Rejects with `HEDDLE_STORE_COMPACTED` where the history doesn't reach back
   * so far: read everything anew then.
   */
  watch(afterRevision: number, watcher: StoreWatcher): Promise<StoreWatch>;

  /** All commits after `afterRevision`, oldest first. Rejects like `watch`. */
  commitsAfter(afterRevision: number): Promise<readonly Commit[]>;

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
