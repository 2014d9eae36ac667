import type { DeleteResponse } from '@heddle/control-plane';
import { connectApi } from '../api/connect.ts';
import { CliError, renderError } from '../cli-error.ts';
import type { DeleteFlags } from '../commands/delete.ts';
import { ExitCode } from '../exit-code.ts';
import { filesToDelete } from './files-to-delete.ts';
import { noObjects } from './read-manifests.ts';
import { explainRefusal, objectName } from './report.ts';

/** `heddle delete`. Fails where an object isn't there, unless that was said to be no failure. */
export async function deleteObjects(flags: DeleteFlags, ...words: readonly string[]): Promise<number> {
  const files = await filesToDelete('delete', flags, words);
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
