/** The stored configuration as this process sees it: read once, kept up to date by a watch. */
import { errorMessage, formatProblem, type Clock, type Logger } from '@heddle/base';
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

/** How long to wait before a store that did not answer is asked again. */
const retryMs = 1000;

interface MirrorOptions {
  readonly store: ConfigStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called after each commit. */
  onChange(change: MirrorChange): void;
}

export class ConfigMirror {
  private readonly store: ConfigStore;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly onChange: (change: MirrorChange) => void;
  private readonly objects = new Map<string, MirroredObject>();
  private watch: StoreWatch | null = null;
  private currentRevision = 0;
  private isClosed = false;

  private constructor(options: MirrorOptions) {
    this.store = options.store;
    this.clock = options.clock;
    this.logger = options.logger;
    this.onChange = (change) => options.onChange(change);
  }

  /** Reads everything, then calls `onChange` after each commit. */
  static async open(options: MirrorOptions): Promise<ConfigMirror> {
    const mirror = new ConfigMirror(options);
    await mirror.follow(new Map());
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
    this.isClosed = true;
    this.watch?.close();
  }

  /** Reads everything and watches from there on. Returns what is otherwise than it was `before`. */
  private async follow(before: ReadonlyMap<string, MirroredObject>): Promise<MirrorChange> {
    const { revision, objects } = await this.store.read();
    this.objects.clear();
    for (const stored of objects) {
      const text = objectKeyText(stored);
      const known = before.get(text);
      const isSame = known?.stored.revision === stored.revision && known.stored.source === stored.source;
      if (isSame) this.objects.set(text, known);
      else this.put(stored);
    }
    this.currentRevision = revision;
    let isReady = false;
    this.watch = await this.store.watch(revision, {
      onCommit: (commit) => {
        const change = this.take(commit);
        if (isReady) this.onChange(change);
      },
      onLost: (error) => {
        this.logger.warn('Reading the configuration anew', { reason: error.message });
        void this.followAgain();
      },
    });
    isReady = true;
    const put = [...this.objects].filter(([text, object]) => before.get(text) !== object);
    const deleted = [...before].filter(([text]) => !this.objects.has(text));
    return { put: put.map(([, object]) => object), deleted: deleted.map(([, { stored }]) => stored) };
  }

  /** What has lost its history may still be hard to reach: asks until it answers. */
  private async followAgain(): Promise<void> {
    // As it was told last, however often it is read.
    const before = new Map(this.objects);
    while (!this.isClosed) {
      try {
        const change = await this.follow(before);
        if (this.isClosed) this.watch?.close();
        else this.onChange(change);
        return;
      } catch (error) {
        this.logger.error('Cannot read the configuration', { error: errorMessage(error) });
        await new Promise<void>((resolve) => {
          this.clock.setTimer(retryMs, resolve);
        });
      }
    }
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
