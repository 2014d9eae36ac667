/** Reads the manifests below a directory. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A file with manifests, named as it is found below the directory. */
export interface DirectoryFile {
  readonly name: string;
  readonly text: string;
}

const extensions = /\.(?:ya?ml|json)$/;

/**
 * Paths below the directory of all files that may hold manifests, sorted. Names that begin with a dot are left out: those
 * of editors and of git, and the directories behind the links of a mounted ConfigMap.
 */
export async function listManifests(directory: string): Promise<readonly string[]> {
  const found: string[] = [];
  const walk = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(directory, below), { withFileTypes: true })) {
      if (entry.name.startsWith('.')) continue;
      const path = join(below, entry.name);
      // Links are followed: a mounted ConfigMap has nothing else.
      const isDirectory =
        entry.isDirectory() || (entry.isSymbolicLink() && (await stat(join(directory, path))).isDirectory());
      if (isDirectory) await walk(path);
      else if (extensions.test(entry.name)) found.push(path);
    }
  };
  await walk('');
  return found.toSorted();
}

export async function readManifestFiles(directory: string): Promise<readonly DirectoryFile[]> {
  const names = await listManifests(directory);
  return await Promise.all(
    names.map(async (name) => ({ name, text: await readFile(join(directory, name), 'utf8') })),
  );
}

/** Changes when a file below the directory does, without any being read. */
export async function signatureOf(directory: string): Promise<string> {
  const names = await listManifests(directory);
  const marks = await Promise.all(
    names.map(async (name) => {
      const { ino, size, mtimeMs } = await stat(join(directory, name));
      return `${name} ${ino} ${size} ${mtimeMs}`;
    }),
  );
  return marks.join('\n');
}
