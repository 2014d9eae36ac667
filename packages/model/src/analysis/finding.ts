import type { Problem } from '@heddle/base';
import type { ObjectKey } from '../manifest/object.ts';
import type { ObjectSource } from '../source/place.ts';

/** Istio's levels. */
export type FindingLevel = 'ERROR' | 'WARNING' | 'INFO';

/** Which of our checks found it; a replay of one check's cases selects by it. */
export type Analyzer =
  | 'destination-host'
  | 'destination-subset'
  | 'rule-host'
  | 'mesh-conflict'
  | 'unreachable-rule'
  | 'server-verification'
  | 'sidecar-selector'
  | 'telemetry-selector'
  | 'telemetry-provider'
  | 'policy-selector'
  | 'gateway-conflict'
  | 'gateway-port'
  | 'gateway-host'
  | 'ingress-rule'
  | 'service-entry-address'
  | 'service-entry-protocol'
  | 'port-name'
  | 'service-conflict'
  | 'subset-workloads'
  | 'envoy-filter'
  | 'deprecation'
  | 'lightstep';

/** Something true of a valid object that its author most likely did not want: the object is stored nevertheless. */
export interface Finding {
  readonly object: ObjectKey;
  readonly analyzer: Analyzer;
  /** Istio's code, such as `IST0101`. */
  readonly code: string;
  /** Istio's name of the code, such as `ReferencedResourceNotFound`. */
  readonly name: string;
  /** Istio's level of the code. */
  readonly level: FindingLevel;
  readonly message: string;
  readonly hint?: string;
  /** Field of the object, such as `spec.http[0].route[0].destination.host`. */
  readonly path: string;
}

/** A finding as a problem, with its place where the source is at hand. Severity is the caller's: `error` under `--strict`. */
export function findingToProblem(
  finding: Finding,
  severity: Problem['severity'],
  source?: ObjectSource,
): Problem {
  return {
    code: finding.code,
    severity,
    message: finding.message,
    ...(finding.hint === undefined ? {} : { hint: finding.hint }),
    path: finding.path,
    ...(source === undefined ? {} : source.locate(finding.path)),
  };
}
