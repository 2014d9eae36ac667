import type { DiffResponse, ManifestFile } from '@heddle/control-plane';
import { HeddleError } from '@heddle/base';
import { connectApi } from '../api/connect.ts';
import { CliError, usageError } from '../cli-error.ts';
import type { DiffFlags } from '../commands/diff.ts';
import { filesToDelete } from './files-to-delete.ts';
import { noObjects, readManifests } from './read-manifests.ts';
import { renderDiff } from './render-diff.ts';
import { explainRefusal, reportProblems } from './report.ts';

/** As those of `diff`. */
const DiffExit = { same: 0, different: 1, failed: 2 } as const;

async function filesOf(flags: DiffFlags, words: readonly string[]): Promise<readonly ManifestFile[]> {
  if (flags.delete) return await filesToDelete('diff --delete', flags, words);
  if (words.length > 0)
    throw usageError('a kind and names go with --delete', 'what would be applied is named with -f');
  if (flags.filename === undefined) throw usageError('nothing to compare: name a file with -f');
  return await readManifests(flags.filename, flags.recursive);
}

async function ask(flags: DiffFlags, files: readonly ManifestFile[]): Promise<DiffResponse> {
  const api = await connectApi(flags);
  const request = { files, namespace: flags.namespace, delete: flags.delete };
  const response = await api.post<DiffResponse>('/api/v1/diff', request).catch((error: unknown) => {
    throw explainRefusal(error, files, 'nothing was compared');
  });
  if (response.objects.length === 0) throw noObjects('compare', files);
  return response;
}

/** Any failure, with the exit code that is not that of a difference. */
function asFailure(error: unknown): unknown {
  if (!(error instanceof HeddleError)) return error;
  const hint = error instanceof CliError ? error.hint : '';
  return new CliError(error.code, error.message, { hint, exitCode: DiffExit.failed, cause: error });
}

/** `heddle diff`. */
export async function diff(flags: DiffFlags, ...words: readonly string[]): Promise<number> {
  try {
    const files = await filesOf(flags, words);
    const response = await ask(flags, files);
    if (flags.output === 'json') process.stdout.write(`${JSON.stringify(response, null, 2)}\n`);
    else {
      process.stdout.write(renderDiff(response, flags.details));
      for (const { warnings } of response.objects) reportProblems(warnings, files);
    }
    const isDifferent = response.objects.some(({ change }) =>
      ['created', 'configured', 'deleted'].includes(change),
    );
    return isDifferent ? DiffExit.different : DiffExit.same;
  } catch (error) {
    throw asFailure(error);
  }
}
