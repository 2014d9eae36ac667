// Where Heddle is stricter than the conformance data, and why. Accepting what the data refuses is never one of these.
import type { Problem } from '@heddle/base';

/** A reason for which Heddle may refuse what the data accepts. */
export interface Deviation {
  readonly suites: readonly string[];
  readonly reason: string;
  /** Whether this problem alone is such a refusal. */
  readonly covers: (problem: Problem) => boolean;
}

export const deviations: readonly Deviation[] = [
  {
    suites: ['istio-crd-validation', 'istio-samples'],
    reason:
      'a field that Istio knows and Heddle does not implement yet is refused by name instead of being ignored',
    covers: ({ code }) => code === 'HEDDLE_UNSUPPORTED_FIELD',
  },
];

/** The deviations that explain every error; undefined where any has no explanation. */
export function explain(suite: string, problems: readonly Problem[]): Deviation[] | undefined {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const found = errors.map((problem) =>
    deviations.find((deviation) => deviation.suites.includes(suite) && deviation.covers(problem)),
  );
  return found.every((deviation) => deviation !== undefined) ? [...new Set(found)] : undefined;
}
