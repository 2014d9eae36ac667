/** Reads the manifests below a directory. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readRegularFile } from './regular-file.ts';

/** A file, named as it is found below the directory. */
export interface DirectoryFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What is read of a directory, and what is not although its name says so. */
export interface DirectoryContents {
  readonly files: readonly DirectoryFile[];
  /** Each with the reason, such as `a.yaml (no regular file)`. */
  readonly leftOut: readonly string[];
}

/** Which entries of a directory are looked at. */
export interface DirectoryScope {
  readonly isRecursive: boolean;
  /** Whether names that begin with a dot are among them. */
  readonly withHidden: boolean;
}

interface Listing {
  readonly names: readonly string[];
  readonly leftOut: readonly string[];
}

const extensions = /\.(?:ya?ml|json)$/i;

function irregular(name: string): string {
  return `${name} (no regular file)`;
}

async function identify(directory: string): Promise<string> {
  const { dev, ino } = await stat(directory, { bigint: true });
  return `${dev}:${ino}`;
}

/** Paths below the directory of all files that may hold manifests, sorted. */
async function listManifests(directory: string, scope: DirectoryScope): Promise<Listing> {
  const names: string[] = [];
  const leftOut: string[] = [];
  const walk = async (below: string, above: readonly string[]): Promise<void> => {
    const self = await identify(join(directory, below));
    if (above.includes(self)) {
      leftOut.push(`${below} (a link to a directory that it is in)`);
      return;
    }
    const around = [...above, self];
    for (const entry of await readdir(join(directory, below), { withFileTypes: true })) {
      if (!scope.withHidden && entry.name.startsWith('.')) continue;
      const path = join(below, entry.name);
      // Links are followed: a mounted ConfigMap has nothing else.
      const kind = entry.isSymbolicLink() ? await stat(join(directory, path)) : entry;
      if (kind.isDirectory()) {
        if (scope.isRecursive) await walk(path, around);
      } else if (extensions.test(entry.name)) {
        if (kind.isFile()) names.push(path);
        else leftOut.push(irregular(path));
      }
    }
  };
  await walk('', []);
  return { names: names.toSorted(), leftOut: leftOut.toSorted() };
}

/** Reads the regular files of a directory whose names are those of manifests, following links to them. */
export async function readManifestFiles(
  directory: string,
  scope: DirectoryScope,
): Promise<DirectoryContents> {
  const { names, leftOut } = await listManifests(directory, scope);
  const contents = await Promise.all(names.map((name) => readRegularFile(join(directory, name))));
  const replaced = names.filter((_name, index) => contents[index] === null).map(irregular);
  return {
    files: names.flatMap((name, index) => {
      const bytes = contents[index] ?? null;
      return bytes === null ? [] : [{ name, bytes }];
    }),
    leftOut: [...leftOut, ...replaced],
  };
}

/** Changes when a file below the directory does, without any being read. */
export async function signatureOf(directory: string, scope: DirectoryScope): Promise<string> {
  const { names, leftOut } = await listManifests(directory, scope);
  const marks = await Promise.all(
    names.map(async (name) => {
      const { ino, size, mtimeMs } = await stat(join(directory, name));
      return `${name} ${ino} ${size} ${mtimeMs}`;
    }),
  );
  return [...marks, ...leftOut].join('\n');
}
