import type { Echo } from './echo-application.ts';

/** One request of the simulation and what became of it. Times are milliseconds on the simulation's clock. */
export interface RequestRecord {
  readonly id: number;
  /** The instance whose application asked. */
  readonly source: string;
  /** `service.namespace` that was asked. */
  readonly target: string;
  /** Value of the header that rules match; empty for none. */
  readonly user: string;
  readonly startMs: number;
  /** What the source's sidecar had in use at the start. */
  readonly configuration: string;
  readonly requestHash: string;
  /** Null while nothing came back, for ever where the source died. */
  outcome: RequestOutcome | null;
}

export interface RequestOutcome {
  readonly endMs: number;
  /** 0 where there was no response. */
  readonly status: number;
  /** Who answered; null where no application did. */
  readonly echo: Echo | null;
  /** Of the body as it arrived. */
  readonly responseHash: string;
  /** The proxy's reason, or the client's; empty with status 200. */
  readonly failure: string;
}

/** The record as a line of the log. */
export function lineOf(record: RequestRecord): string {
  const { id, source, target, configuration, requestHash, startMs, outcome } = record;
  const fields = [
    startMs.toFixed(3),
    `#${id}`,
    `source=${source}`,
    `target=${target}`,
    `instance=${outcome?.echo?.instance ?? '-'}`,
    `configuration=${configuration}`,
    `body=${requestHash}`,
  ];
  if (outcome === null) return [...fields, 'lost with its source'].join(' ');
  const { endMs, status, responseHash, failure } = outcome;
  fields.push(`response=${responseHash}`, `status=${status}`, `took=${(endMs - startMs).toFixed(3)}`);
  if (failure !== '') fields.push(`failure=${JSON.stringify(failure)}`);
  return fields.join(' ');
}
