import type { RollbackRequest, RollbackResponse } from '@heddle/control-plane';
import { connectApi } from '../api/connect.ts';
import type { RollbackFlags } from '../commands/rollback.ts';
import { explainRefusal, objectName, reportProblems } from '../configuration/report.ts';
import { ExitCode } from '../exit-code.ts';
import { namedObject } from './named-object.ts';

/** `heddle rollback`. */
export async function rollBack(flags: RollbackFlags, ...words: readonly string[]): Promise<number> {
  const object = namedObject(words, flags.namespace);
  const request: RollbackRequest = {
    dryRun: flags.dryRun,
    ...(flags.toRevision === undefined ? {} : { toRevision: flags.toRevision }),
    ...(object === undefined ? {} : { object }),
  };
  const api = await connectApi(flags);
  const { toRevision, revision, results } = await api
    .post<RollbackResponse>('/api/v1/rollback', request)
    .catch((error: unknown) => {
      throw explainRefusal(error, [], 'nothing was changed');
    });
  for (const result of results) {
    process.stdout.write(`${objectName(result)} ${result.change}${flags.dryRun ? ' (dry run)' : ''}\n`);
    reportProblems(result.warnings, []);
  }
  const said =
    results.length === 0
      ? `Nothing is otherwise than at revision ${toRevision}.`
      : flags.dryRun
        ? `Nothing was changed; this is what going back to revision ${toRevision} would do.`
        : `As at revision ${toRevision}; this is revision ${revision}.`;
  process.stderr.write(`${said}\n`);
  return ExitCode.ok;
}
