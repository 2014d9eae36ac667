import type { DeleteResponse, ManifestFile } from '@heddle/control-plane';
import { connectApi } from '../api/connect.ts';
import { CliError, renderError, usageError } from '../cli-error.ts';
import type { DeleteFlags } from '../commands/delete.ts';
import { ExitCode } from '../exit-code.ts';
import { findKind } from '../kinds.ts';
import { noObjects, readManifests } from './read-manifests.ts';
import { explainRefusal, objectName } from './report.ts';

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

async function filesToDelete(flags: DeleteFlags, words: readonly string[]): Promise<readonly ManifestFile[]> {
  const [first, ...rest] = words;
  if (flags.filename !== undefined) {
    if (first !== undefined) throw usageError(`'${first}' and -f can't be used together`);
    return await readManifests(flags.filename, flags.recursive);
  }
  if (first === undefined) throw usageError('nothing to delete: name a file with -f, or a kind and a name');
  const [kind = '', ...slashed] = first.split('/');
  const names = [...slashed, ...rest];
  if (names.length === 0) throw usageError(`the name is missing: heddle delete ${first} NAME`);
  return [namedObjects(kind, names, flags.namespace)];
}

/** `heddle delete`. Fails where an object isn't there, unless that was said to be no failure. */
export async function deleteObjects(flags: DeleteFlags, ...words: readonly string[]): Promise<number> {
  const files = await filesToDelete(flags, words);
  const api = await connectApi(flags);
  const { results } = await api
    .post<DeleteResponse>('/api/v1/delete', { files, namespace: flags.namespace })
    .catch((error: unknown) => {
      throw explainRefusal(error, files, 'nothing was deleted');
    });
  let missing = 0;
  for (const result of results) {
    if (result.change === 'deleted') process.stdout.write(`${objectName(result)} deleted\n`);
    else {
      missing++;
      if (flags.ignoreNotFound) continue;
      const error = new CliError('HEDDLE_NOT_FOUND', `${objectName(result)} not found`);
      process.stderr.write(renderError(error, false));
    }
  }
  if (results.length === 0) throw noObjects('delete', files);
  return missing > 0 && !flags.ignoreNotFound ? ExitCode.failed : ExitCode.ok;
}
