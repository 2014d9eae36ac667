// Telemetry: traces, metrics and access logs of workloads.
import { z } from 'zod';
import { about, atMostOne, duration, nonEmpty, wrapper } from './fields.ts';
import { hasOneScope, oneScope, policyScope } from './selectors.ts';

const mode = z.enum(['CLIENT_AND_SERVER', 'CLIENT', 'SERVER']).optional();
const providers = z.array(z.strictObject({ name: nonEmpty })).optional();

const metric = z.enum([
  'ALL_METRICS',
  'REQUEST_COUNT',
  'REQUEST_DURATION',
  'REQUEST_SIZE',
  'RESPONSE_SIZE',
  'TCP_OPENED_CONNECTIONS',
  'TCP_CLOSED_CONNECTIONS',
  'TCP_SENT_BYTES',
  'TCP_RECEIVED_BYTES',
  'GRPC_REQUEST_MESSAGES',
  'GRPC_RESPONSE_MESSAGES',
]);

const tagFrom = z.strictObject({ name: nonEmpty, defaultValue: z.string().optional() });

const customTag = z
  .strictObject({
    literal: z.strictObject({ value: nonEmpty }).optional(),
    environment: tagFrom.optional(),
    header: tagFrom.optional(),
    formatter: z.strictObject({ value: nonEmpty }).optional(),
  })
  .check(atMostOne(['literal', 'environment', 'header', 'formatter']));

const tracing = z.strictObject({
  match: z.strictObject({ mode }).optional(),
  providers,
  randomSamplingPercentage: wrapper(z.number().min(0).max(100)),
  disableSpanReporting: wrapper(z.boolean()),
  customTags: z.record(z.string(), customTag).optional(),
  useRequestIdForTraceSampling: wrapper(z.boolean()),
  enableIstioTags: wrapper(z.boolean()),
  disableContextPropagation: wrapper(z.boolean()),
});

const tagOverride = z
  .strictObject({ operation: z.enum(['UPSERT', 'REMOVE']).optional(), value: z.string().optional() })
  .refine(
    ({ operation, value }) => operation !== 'UPSERT' || (value ?? '') !== '',
    about('is required with the operation UPSERT', 'value'),
  )
  .refine(
    ({ operation, value }) => operation !== 'REMOVE' || value === undefined,
    about('makes no sense with the operation REMOVE', 'value'),
  );

const metrics = z.strictObject({
  providers,
  reportingInterval: duration.optional(),
  overrides: z
    .array(
      z.strictObject({
        match: z
          .strictObject({ metric: metric.optional(), customMetric: nonEmpty.optional(), mode })
          .check(atMostOne(['metric', 'customMetric']))
          .optional(),
        disabled: wrapper(z.boolean()),
        tagOverrides: z.record(z.string(), tagOverride).optional(),
      }),
    )
    .optional(),
});

const accessLogging = z.strictObject({
  match: z.strictObject({ mode }).optional(),
  providers,
  disabled: wrapper(z.boolean()),
  filter: z.strictObject({ expression: z.string().optional() }).optional(),
});

export const telemetrySpec = z
  .strictObject({
    ...policyScope,
    tracing: z.array(tracing).optional(),
    metrics: z.array(metrics).optional(),
    accessLogging: z.array(accessLogging).optional(),
  })
  .refine(hasOneScope, oneScope);

export type TelemetrySpec = Readonly<z.infer<typeof telemetrySpec>>;
