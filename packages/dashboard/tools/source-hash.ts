import { createHash } from 'node:crypto';
import { glob, readFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';

/** Absolute path of the dashboard's package. */
export const packageDirectory = dirname(import.meta.dirname);

/** Where the build goes, and where the control plane finds it in a checkout. */
export const defaultDirectory = join(packageDirectory, 'dist');

/** The file in the build that holds the hash of what it was built from. */
export const stampName = 'build-stamp.txt';

/** What the build reads; package.json stands for the versions of the libraries, which are exact. */
const SOURCES = [
  'src/**/*',
  'public/**/*',
  'index.html',
  'vite.config.ts',
  'package.json',
  'tools/build-dashboard.ts',
];

/**
 * SHA-256 of everything that the build reads. Contents and not times, because a checkout, an archive or a copy gives
 * files any time it likes.
 */
export async function sourceHash(): Promise<string> {
  const paths: string[] = [];
  for await (const entry of glob(SOURCES, { cwd: packageDirectory, withFileTypes: true })) {
    if (entry.isFile() && !entry.name.endsWith('.test.ts')) paths.push(join(entry.parentPath, entry.name));
  }
  paths.sort();
  const contents = await Promise.all(paths.map((path) => readFile(path)));
  const hash = createHash('sha256');
  for (const [index, path] of paths.entries()) {
    const name = path.slice(packageDirectory.length + 1).replaceAll(sep, '/');
    const content = contents[index] ?? Buffer.alloc(0);
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}
