/**
 * Keeps a store as a directory of manifests says: the files are the truth, and what they say is stored whole or not at
 * all. While something is wrong with them, the last good configuration stays.
 */
import { watch, type FSWatcher } from 'node:fs';
import {
  errorMessage,
  formatProblem,
  HeddleError,
  systemErrorCode,
  type Clock,
  type Logger,
  type Problem,
  type Timer,
} from '@heddle/base';
import { keyOf, parseManifests } from '@heddle/model';
import { encodeObject } from '../config/object-source.ts';
import { objectKeyText, type ConfigStore, type StoreChange } from '../store/config-store.ts';
import { readManifestFiles, signatureOf } from './read-directory.ts';

/** The author of all changes that come from files. */
export const filesAuthor = 'files';

/** Files that change together, as by `git pull`, are read when they have been quiet for so long. */
const quietMs = 200;
/** What the system says nothing of, as on network file systems, is found so soon. */
const lookMs = 5000;

/** Names that begin with a dot are editors' and git's, and the directories behind the links of a mounted ConfigMap. */
const scope = { isRecursive: true, withHidden: false };

export interface DirectorySyncOptions {
  readonly directory: string;
  readonly store: ConfigStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class DirectorySync {
  private readonly options: DirectorySyncOptions;
  private watcher: FSWatcher | null = null;
  private quiet: Timer | null = null;
  private look: Timer | null = null;
  private signature = '';
  private complaint = '';
  private leftOut = '';
  /** One sync after the other. */
  private work: Promise<void> = Promise.resolve();
  private isClosed = false;

  constructor(options: DirectorySyncOptions) {
    this.options = options;
  }

  /** Takes what the files say and follows them. What is wrong with them is logged; only a missing directory rejects. */
  async start(): Promise<void> {
    const { directory } = this.options;
    try {
      await signatureOf(directory, scope);
    } catch (error) {
      throw new HeddleError(
        'HEDDLE_STORE_FAILED',
        `The directory ${directory} with the mesh's configuration can't be read: ${reasonOf(error)}.`,
        { cause: error },
      );
    }
    await this.sync();
    this.observe();
    this.lookLater();
  }

  /** Makes the store what the files say at the moment. */
  async sync(): Promise<void> {
    this.work = this.work.then(async () => await this.syncNow());
    await this.work;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.watcher?.close();
    this.quiet?.cancel();
    this.look?.cancel();
    await this.work;
  }

  private async syncNow(): Promise<void> {
    if (this.isClosed) return;
    const { directory, store, logger } = this.options;
    try {
      const signature = await signatureOf(directory, scope);
      const { files: found, leftOut } = await readManifestFiles(directory, scope);
      const files = found.map(({ name, bytes }) => ({ name, text: new TextDecoder().decode(bytes) }));
      this.warnOf(leftOut.join(', '));
      const { objects, problems } = parseManifests(files, { namespace: 'default' });
      const errors = problems.filter(({ severity }) => severity === 'error');
      const present = await store.read();
      if (errors.length > 0) this.complain(errors.map(describe));
      else if (files.length === 0 && present.objects.length > 0)
        this.complain(['there is no file in it any more; one without objects would delete everything']);
      else {
        const puts = objects.map(({ object }) => {
          const { apiVersion, source, specDigest } = encodeObject(object);
          return { type: 'put' as const, key: keyOf(object), apiVersion, source, specDigest };
        });
        const wanted = new Set(puts.map(({ key }) => objectKeyText(key)));
        const deletes = present.objects
          .filter((object) => !wanted.has(objectKeyText(object)))
          .map(({ group, kind, namespace, name }): StoreChange => {
            return { type: 'delete', key: { group, kind, namespace, name } };
          });
        const outcome = await store.commit([...puts, ...deletes], filesAuthor);
        if (outcome.kind === 'committed')
          logger.info('Took the configuration from the files', {
            directory,
            revision: outcome.commit.revision,
            changes: outcome.commit.changes.length,
          });
        this.complaint = '';
      }
      // As it was before they were read: what has changed since is looked at again.
      this.signature = signature;
    } catch (error) {
      this.complain([reasonOf(error)]);
    }
  }

  /** Says what is wrong, once. */
  private complain(reasons: readonly string[]): void {
    const complaint = reasons.join('\n');
    if (complaint === this.complaint) return;
    this.complaint = complaint;
    const { directory, logger } = this.options;
    for (const reason of reasons)
      logger.error('The files are not taken; what was there before stays in force', { directory, reason });
  }

  /** Says what is left out, once. */
  private warnOf(leftOut: string): void {
    const { directory, logger } = this.options;
    if (leftOut !== '' && leftOut !== this.leftOut)
      logger.warn('Left out what can not be read as a file', { directory, leftOut });
    this.leftOut = leftOut;
  }

  private observe(): void {
    const { directory, logger } = this.options;
    try {
      this.watcher = watch(directory, { recursive: true, persistent: false }, () => this.syncWhenQuiet());
      this.watcher.on('error', () => this.watcher?.close());
    } catch (error) {
      logger.info('Looking at the files every 5 s: the system does not tell of changes', {
        directory,
        reason: errorMessage(error),
      });
    }
  }

  private syncWhenQuiet(): void {
    if (this.isClosed) return;
    this.quiet?.cancel();
    this.quiet = this.options.clock.setTimer(quietMs, () => void this.sync());
  }

  private lookLater(): void {
    if (this.isClosed) return;
    this.look = this.options.clock.setTimer(lookMs, () => {
      void this.lookNow().finally(() => this.lookLater());
    });
  }

  private async lookNow(): Promise<void> {
    // A directory that is gone is complained of by the sync.
    const signature = await signatureOf(this.options.directory, scope).catch(() => 'gone');
    if (signature !== this.signature) await this.sync();
  }
}

/** With the path, as it may be any of those in the directory. */
function reasonOf(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === '') return errorMessage(error);
  const path = error instanceof Error && 'path' in error ? String(error.path) : '';
  return path === '' ? code : `${code}: ${path}`;
}

function describe(problem: Problem): string {
  return formatProblem(problem);
}
