/** The directory in which a mesh is kept, opened and locked for one control plane. */
import { type Stats, chmodSync, lstatSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { errorMessage, HeddleError, systemErrorCode } from '@heddle/base';
import { openInstanceDatabase } from '../instances/instance-database.ts';
import { openHeddleDatabase } from '../store/heddle-database.ts';

/** Names in the directory. */
export const storeFiles = {
  configuration: 'heddle.db',
  instances: 'instances.db',
  certificateAuthority: 'ca',
  localToken: 'local-token',
  adminToken: 'admin-token',
  controlPlane: 'control-plane.json',
} as const;

/** An opened store. */
export interface StoreDirectory {
  readonly path: string;
  readonly configuration: DatabaseSync;
  readonly configurationPath: string;
  readonly instances: DatabaseSync;
  readonly instancesPath: string;
  /** Closes both databases, which gives up the lock. Idempotent. */
  close(): void;
}

/**
 * Makes a directory and those above it that are missing. `mkdirSync` with `recursive` would try for ever where the
 * system says that something is missing above a directory whose parent is there, as in /proc.
 */
function makeDirectory(path: string): void {
  const make = (): void => mkdirSync(path, { mode: 0o700 });
  try {
    make();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    makeDirectory(dirname(path));
    make();
  }
}

/** Says what stands where a directory should be or be made: a file, a link that leads nowhere; null if neither does. */
function obstacleAt(path: string): string | null {
  let place = path;
  while (look(() => lstatSync(place)) === undefined && dirname(place) !== place) place = dirname(place);
  const which = place === path ? 'The store' : `The store ${path} cannot be made:`;
  const target = look(() => statSync(place));
  if (target === undefined) return `${which} ${place} is a link that leads nowhere.`;
  return target.isDirectory() ? null : `${which} ${place} is a file and no directory.`;
}

function look(read: () => Stats): Stats | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Makes the directory where it is missing and makes sure that only its owner can look into it. */
function prepare(path: string): void {
  try {
    makeDirectory(path);
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o700);
  } catch (error) {
    const reason = systemErrorCode(error) || errorMessage(error);
    // Where we may not look we can't tell what is there.
    const message =
      (reason === 'EACCES' ? null : obstacleAt(path)) ??
      `The store directory ${path} cannot be made readable by its owner only: ${reason}.`;
    throw new HeddleError('HEDDLE_STORE_FAILED', message, { cause: error });
  }
}

/** The process that runs a control plane on this store by its own account; empty where nothing is known. */
function holder(path: string): string {
  try {
    const { pid } = JSON.parse(readFileSync(join(path, storeFiles.controlPlane), 'utf8')) as {
      pid?: unknown;
    };
    return typeof pid === 'number' ? ` (process ${pid})` : '';
  } catch {
    return '';
  }
}

/**
 * Opens the store, or makes an empty one. Throws `HEDDLE_STORE_LOCKED` where another control plane uses it,
 * `HEDDLE_STORE_CORRUPT`, `HEDDLE_STORE_TOO_NEW` or `HEDDLE_STORE_FAILED`.
 */
export function openStoreDirectory(path: string): StoreDirectory {
  prepare(path);
  const configurationPath = join(path, storeFiles.configuration);
  const instancesPath = join(path, storeFiles.instances);
  let configuration: DatabaseSync;
  try {
    configuration = openHeddleDatabase(configurationPath);
  } catch (error) {
    if (!(error instanceof HeddleError) || error.code !== 'HEDDLE_STORE_LOCKED') throw error;
    throw new HeddleError(
      'HEDDLE_STORE_LOCKED',
      `Another control plane${holder(path)} uses the store ${path}: stop that one first, or use another directory.`,
      { cause: error },
    );
  }
  try {
    const instances = openInstanceDatabase(instancesPath);
    return {
      path,
      configuration,
      configurationPath,
      instances,
      instancesPath,
      close: () => {
        for (const database of [instances, configuration]) if (database.isOpen) database.close();
      },
    };
  } catch (error) {
    configuration.close();
    throw error;
  }
}
