// Which workloads or objects a policy is for.
import { z } from 'zod';
import { about, hasAtMostOne } from './fields.ts';
import { inCel, letsOneBeSet } from './rules.ts';

const noWildcard = 'must not hold a *: labels are compared as they are';

const withoutWildcard = inCel("!self.contains('*')", (text: string) => !text.includes('*'));

/** Kinds of security, telemetry and extensions: workloads that carry all of the labels. */
export const selector = z.strictObject({
  matchLabels: z
    .record(
      z.string().min(1).refine(withoutWildcard, { message: noWildcard }),
      z.string().max(63).refine(withoutWildcard, { message: noWildcard }),
    )
    .refine((labels) => Object.keys(labels).length <= 4096, about('may have 4096 labels at most'))
    .optional(),
});

/** The same of the networking kinds. */
export const workloadSelector = z.strictObject({
  labels: z
    .record(z.string(), z.string().max(63).refine(withoutWildcard, { message: noWildcard }))
    .optional(),
});

const group = z.string().max(253);

/** An object that a policy is attached to, in the policy's own namespace. */
export const targetReference = z.strictObject({
  group: group.optional(),
  kind: z.string().min(1).max(63),
  name: z.string().min(1).max(253),
  namespace: z
    .string()
    .refine(
      inCel('self.size() == 0', (namespace: string) => namespace === ''),
      {
        message: 'must be left out: only the own namespace is possible',
      },
    )
    .optional(),
});

export const targetReferences = z.array(targetReference).max(16);

/** The fields that say what a policy of security, telemetry or extensions is for. */
export const policyScope = {
  selector: selector.optional(),
  targetRef: targetReference.optional(),
  targetRefs: targetReferences.optional(),
};

const scopeFields = ['selector', 'targetRef', 'targetRefs'];

/** Whether a policy says in one way what it is for. */
export const hasOneScope = letsOneBeSet(scopeFields, (spec: object): boolean =>
  hasAtMostOne(spec, scopeFields),
);

export const oneScope = about(
  'says in two ways what the policy is for: only one of selector, targetRef, targetRefs may be set',
);
