// The objects that are to be deleted, in the form in which files name them.
import type { ManifestFile } from '@heddle/control-plane';
import { usageError } from '../cli-error.ts';
import type { DeleteFlags } from '../commands/delete.ts';
import { findKind } from '../kinds.ts';
import { readManifests } from './read-manifests.ts';

/** Objects named on the command line, in the form in which files name them. */
function namedObjects(kindName: string, names: readonly string[], namespace: string): ManifestFile {
  const kind = findKind(kindName);
  if (typeof kind === 'string') {
    throw usageError(`${kind} can't be deleted`, 'they are there as long as their instances run');
  }
  const documents = names.map((name) =>
    JSON.stringify({ apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name, namespace } }),
  );
  return { name: 'command line', text: documents.join('\n---\n') };
}

/** What a command line names by `-f`, or by kind and names. */
export async function filesToDelete(
  command: string,
  flags: Pick<DeleteFlags, 'filename' | 'namespace' | 'recursive'>,
  words: readonly string[],
): Promise<readonly ManifestFile[]> {
  const [first, ...rest] = words;
  if (flags.filename !== undefined) {
    if (first !== undefined) throw usageError(`'${first}' and -f can't be used together`);
    return await readManifests(flags.filename, flags.recursive);
  }
  if (first === undefined) throw usageError('nothing to delete: name a file with -f, or a kind and a name');
  const [kind = '', ...slashed] = first.split('/');
  const names = [...slashed, ...rest];
  if (names.length === 0) throw usageError(`the name is missing: heddle ${command} ${first} NAME`);
  return [namedObjects(kind, names, flags.namespace)];
}
