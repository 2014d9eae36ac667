// Prints what became of objects and what was wrong with them.
import type { ApiProblem, ManifestFile, ObjectReference } from '@heddle/control-plane';
import type { CliError } from '../cli-error.ts';
import { RefusedError } from '../api/connect.ts';
import { renderProblem } from '../output/render-problem.ts';

/** More than these nobody reads before correcting the first; HEDDLE_DEBUG=1 shows all. */
const shownProblems = 10;

/** Writes problems to standard error, each with the line it is about. */
export function reportProblems(problems: readonly ApiProblem[], files: readonly ManifestFile[]): void {
  const limit = process.env['HEDDLE_DEBUG'] === '1' ? problems.length : shownProblems;
  for (const problem of problems.slice(0, limit)) {
    const source = files.find(({ name }) => name === problem.file)?.text;
    process.stderr.write(renderProblem(problem, source));
  }
  if (problems.length > limit) process.stderr.write(`… and ${problems.length - limit} more\n`);
}

/** `virtualservice.networking.istio.io/reviews`, as kubectl names objects; with its namespace unless it is `default`. */
export function objectName(reference: ObjectReference): string {
  const [group, version] = reference.apiVersion.split('/');
  const suffix = reference.namespace === 'default' ? '' : ` (namespace ${reference.namespace})`;
  // Kubernetes' own kinds have a version only.
  const kind = version === undefined ? '' : `.${group}`;
  return `${reference.kind.toLowerCase()}${kind}/${reference.name}${suffix}`;
}

/** Writes the reasons of a refusal; what is left to say is the failure itself. */
export function explainRefusal(error: unknown, files: readonly ManifestFile[], consequence: string): unknown {
  if (!(error instanceof RefusedError) || error.problems.length === 0) return error;
  reportProblems(error.problems, files);
  const errors = error.problems.filter(({ severity }) => severity === 'error').length;
  const count = errors === 1 ? '1 error' : `${errors} errors`;
  const refused: CliError = new RefusedError(error.code, `${count}, ${consequence}`, error.hint, []);
  return refused;
}
