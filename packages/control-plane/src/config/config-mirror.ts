/** The stored configuration as this process sees it: read once, kept up to date by a watch. */
import { formatProblem, type Logger } from '@heddle/base';
import type { MeshObject } from '@heddle/model';
import {
  objectKeyText,
  type Commit,
  type ConfigStore,
  type ObjectKey,
  type StoredObject,
  type StoreWatch,
} from '../store/config-store.ts';
import { decodeObject } from './object-source.ts';

/** A stored object and what it says. */
export interface MirroredObject {
  readonly stored: StoredObject;
  readonly object: MeshObject;
}

/** What one commit did, in terms of valid objects. */
export interface MirrorChange {
  readonly put: readonly MirroredObject[];
  readonly deleted: readonly StoredObject[];
}

export class ConfigMirror {
  private readonly logger: Logger;
  private readonly objects = new Map<string, MirroredObject>();
  private watch: StoreWatch | null = null;
  private currentRevision: number;

  private constructor(logger: Logger, revision: number) {
    this.logger = logger;
    this.currentRevision = revision;
  }

  /** Reads everything, then calls `onChange` after each commit. */
  static async open(
    store: ConfigStore,
    logger: Logger,
    onChange: (change: MirrorChange) => void,
  ): Promise<ConfigMirror> {
    const { revision, objects } = await store.read();
    const mirror = new ConfigMirror(logger, revision);
    for (const stored of objects) mirror.put(stored);
    mirror.watch = store.watch(revision, (commit) => onChange(mirror.take(commit)));
    return mirror;
  }

  get revision(): number {
    return this.currentRevision;
  }

  /** All valid objects, sorted by key. */
  list(): readonly MirroredObject[] {
    return [...this.objects.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  get(key: ObjectKey): MirroredObject | undefined {
    return this.objects.get(objectKeyText(key));
  }

  close(): void {
    this.watch?.close();
  }

  private take(commit: Commit): MirrorChange {
    this.currentRevision = commit.revision;
    const put: MirroredObject[] = [];
    const deleted: StoredObject[] = [];
    for (const { type, object } of commit.changes) {
      const mirrored = type === 'put' ? this.put(object) : undefined;
      if (mirrored !== undefined) put.push(mirrored);
      else if (this.objects.delete(objectKeyText(object))) deleted.push(object);
    }
    return { put, deleted };
  }

  private put(stored: StoredObject): MirroredObject | undefined {
    const object = decodeObject(stored);
    if (!object.ok) {
      this.logger.error('A stored object is not valid and has no effect', {
        object: objectKeyText(stored),
        problem: object.error[0] === undefined ? '' : formatProblem(object.error[0]),
      });
      return undefined;
    }
    const mirrored = { stored, object: object.value };
    this.objects.set(objectKeyText(stored), mirrored);
    return mirrored;
  }
}
