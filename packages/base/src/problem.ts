/**
 * One thing wrong with what somebody wrote: a file of YAML, a bootstrap file, an xDS resource, a command line.
 * Whoever reads input collects all problems and does not stop at the first.
 */
export interface Problem {
  /** Stable and searchable, such as `HEDDLE_UNKNOWN_FIELD` or Istio's `IST0101`. Listed in docs/reference/errors.md. */
  readonly code: string;
  readonly severity: 'error' | 'warning';
  /** What is wrong and why, one sentence without the place. */
  readonly message: string;
  /** What to do about it, one sentence; absent where the message says it. */
  readonly hint?: string;
  /** File as the user named it. */
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  /** Field path such as `spec.http[0].route[1].weight`. */
  readonly path?: string;
}

/** Renders a problem as `file:line:column: path: message (hint)`, the form editors and compilers use. */
export function formatProblem(problem: Problem): string {
  let place = problem.file ?? '';
  if (problem.line !== undefined) place += `:${problem.line}:${problem.column ?? 1}`;
  const path = problem.path === undefined || problem.path === '' ? '' : `${problem.path}: `;
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
  return `${place === '' ? '' : `${place}: `}${problem.severity} ${problem.code}: ${path}${problem.message}${hint}`;
}
