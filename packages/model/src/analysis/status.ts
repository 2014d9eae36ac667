// What an object's `status` says, in the shape of Istio's: conditions and validation messages.
import type { Finding, FindingLevel } from './finding.ts';

/** One of Kubernetes' conditions. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** RFC 3339: when `status` last became what it is. */
  readonly lastTransitionTime: string;
}

export interface ValidationMessage {
  readonly type: { readonly code: string; readonly name: string };
  readonly level: FindingLevel;
  readonly documentationUrl: string;
  readonly message: string;
  readonly path: string;
}

export interface ObjectStatus {
  /** The store's revision of the object that the status is about. */
  readonly observedGeneration: number;
  readonly conditions: readonly Condition[];
  readonly validationMessages: readonly ValidationMessage[];
}

/**
 * The status of a stored object. Its condition `ResolvedRefs` is False while it refers to something that does not exist;
 * `previous` keeps the time of conditions that stay as they were.
 */
export function objectStatus(
  findings: readonly Finding[],
  about: {
    readonly generation: number;
    readonly nowMs: number;
    readonly previous?: ObjectStatus | undefined;
  },
): ObjectStatus {
  const missing = findings.filter(({ code }) => code === 'IST0101');
  const conflict = findings.find(({ code }) => code === 'IST0109');
  const conditions = [
    missing.length === 0
      ? condition('ResolvedRefs', true, 'ResolvedRefs', 'everything the object refers to exists')
      : condition('ResolvedRefs', false, 'RefNotFound', missing.map(({ message }) => message).join('; ')),
    ...(conflict === undefined ? [] : [condition('Conflicted', true, 'HostConflict', conflict.message)]),
  ];
  return {
    observedGeneration: about.generation,
    conditions: conditions.map((fresh) => {
      const before = about.previous?.conditions.find(({ type }) => type === fresh.type);
      const isSame = before?.status === fresh.status;
      const lastTransitionTime = isSame ? before.lastTransitionTime : new Date(about.nowMs).toISOString();
      return Object.assign(fresh, { lastTransitionTime });
    }),
    validationMessages: findings.map(({ code, name, level, message, path }) => ({
      type: { code, name },
      level,
      documentationUrl: `https://istio.io/latest/docs/reference/config/analysis/${code.toLowerCase()}/`,
      message,
      path,
    })),
  };
}

function condition(
  type: string,
  isTrue: boolean,
  reason: string,
  message: string,
): Omit<Condition, 'lastTransitionTime'> {
  return { type, status: isTrue ? 'True' : 'False', reason, message };
}
