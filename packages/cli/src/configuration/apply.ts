import type { ApplyResponse } from '@heddle/control-plane';
import { connectApi } from '../api/connect.ts';
import type { ApplyFlags } from '../commands/apply.ts';
import { ExitCode } from '../exit-code.ts';
import { noObjects, readManifests } from './read-manifests.ts';
import { explainRefusal, objectName, reportProblems } from './report.ts';

/** `heddle apply`. */
export async function apply(flags: ApplyFlags): Promise<number> {
  const files = await readManifests(flags.filename, flags.recursive);
  const api = await connectApi(flags);
  const { namespace, strict, dryRun } = flags;
  const { results } = await api
    .post<ApplyResponse>('/api/v1/apply', { files, namespace, strict, dryRun })
    .catch((error: unknown) => {
      throw explainRefusal(error, files, 'nothing was stored');
    });
  for (const result of results) {
    process.stdout.write(`${objectName(result)} ${result.change}${dryRun ? ' (dry run)' : ''}\n`);
    reportProblems(result.warnings, files);
  }
  if (results.length === 0) throw noObjects('apply', files);
  return ExitCode.ok;
}
