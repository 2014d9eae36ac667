// DestinationRule: the full field set of networking.istio.io v1, v1beta1 and v1alpha3, which are the same.
import { z } from 'zod';
import { textMap } from './fields.ts';
import { notYet } from './support.ts';
import { trafficPolicy } from './traffic-policy.ts';

const subset = z.strictObject({
  name: z.string(),
  labels: textMap.optional(),
  trafficPolicy: trafficPolicy.optional(),
});

export const destinationRuleSpec = z.strictObject({
  host: z.string(),
  trafficPolicy: trafficPolicy.optional(),
  subsets: z.array(subset).optional(),
  exportTo: z.array(z.string()).optional(),
  workloadSelector: notYet(
    'rules for certain client workloads',
    z.strictObject({ matchLabels: textMap.optional() }),
  ),
});

export type TrafficPolicy = Readonly<z.infer<typeof trafficPolicy>>;
export type DestinationRuleSpec = Readonly<z.infer<typeof destinationRuleSpec>>;
