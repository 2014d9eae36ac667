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
      'a destination with a wildcard, or a host that is an IPv6 address, can not be left aside without changing what ' +
      'the object means: it is refused by name',
    covers: ({ code }) => code === 'HEDDLE_UNSUPPORTED_FIELD',
  },
  {
    suites: ['istio-crd-validation'],
    reason: 'a colon before ] or , ends the key of a mapping in YAML 1.2, so that [001:db8::] holds no text',
    covers: ({ code, message }) =>
      code === 'HEDDLE_WRONG_TYPE' && message.endsWith('must be text, got a mapping'),
  },
  {
    suites: ['istio-samples'],
    reason:
      'kinds of other projects (cert-manager, SPIRE, the operator) are nothing that Heddle knows: refused, not passed over',
    covers: ({ code, message }) => code === 'HEDDLE_UNKNOWN_KIND' && !/istio\.io'|gateway\./.test(message),
  },
];

/** Cases of analysis in which Heddle finds something else, and why. */
export const analysisDeviations: readonly { readonly cases: readonly string[]; readonly reason: string }[] = [
  {
    cases: ['virtualservicedestinationhosts'],
    reason:
      'a route without destination is refused by the schema, not by the analysis; whether a Service is exported, and ' +
      'whether the namespaces of exportTo exist, is not analysed yet',
  },
  {
    cases: ['serviceentry-addresses-allocated'],
    reason:
      "an object's status is written by Heddle alone and not read from files: no address is allocated there",
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
