// Finds the directory in which a mesh is kept.
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** The directory's usual name. */
export const storeName = '.heddle';

function isOwnDirectory(path: string): boolean {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status?.isDirectory() !== true) return false;
  // Somebody else's could lead our commands to their control plane; git is as careful.
  return process.getuid === undefined || status.uid === process.getuid();
}

/**
 * The store that a command means: the one it was told, else the nearest `.heddle` from the working directory upwards, as
 * git finds its own, so that every directory of a project belongs to its mesh; else `.heddle` right here.
 */
export function findStore(told: string | undefined, from = process.cwd()): string {
  if (told !== undefined) return resolve(from, told);
  for (let directory = resolve(from); ; directory = dirname(directory)) {
    const candidate = join(directory, storeName);
    if (existsSync(candidate) && isOwnDirectory(candidate)) return candidate;
    if (dirname(directory) === directory) return join(resolve(from), storeName);
  }
}
