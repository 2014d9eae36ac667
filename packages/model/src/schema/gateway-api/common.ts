// What kinds of the Kubernetes Gateway API have in common. Limits are those of its published CRDs.
import { z } from 'zod';
import { int32, portNumber } from '../fields.ts';
import { inCel } from '../rules.ts';

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const wildcardHost = /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export const objectName = z.string().min(1).max(253);
export const group = z
  .string()
  .max(253)
  .refine((text) => text === '' || subdomain.test(text), {
    message: 'must be the name of an API group, or empty',
  });
export const kindName = z
  .string()
  .max(63)
  .regex(/^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/, 'must be the name of a kind');
export const namespaceName = z.string().max(63).regex(label, 'must be the name of a namespace');
export const sectionName = z
  .string()
  .max(253)
  .regex(subdomain, 'must be a name of lower-case letters, digits, - and .');

/** A host name without an address: with a leading `*.` where that is allowed. */
export const hostname = z
  .string()
  .max(253)
  .regex(wildcardHost, "must be a DNS name in lower case, or one with a leading '*.'")
  .refine((name) => !/^[\d.]+$/.test(name), { message: 'must be a DNS name, not an address' });

export const preciseHostname = z
  .string()
  .max(253)
  .regex(subdomain, 'must be a DNS name in lower case, without wildcards');

export const durationText = z
  .string()
  .regex(/^([0-9]{1,5}(h|m|s|ms)){1,4}$/, 'must be a duration, such as 10s, 1h30m or 500ms');

export const parentReference = z.strictObject({
  group: group.optional(),
  kind: kindName.optional(),
  namespace: namespaceName.optional(),
  name: objectName,
  sectionName: sectionName.optional(),
  port: portNumber.optional(),
});

/** What every route has. */
export const routeFields = {
  parentRefs: z.array(parentReference).max(32).optional(),
  useDefaultGateways: z.enum(['All', 'None']).optional(),
};

export const objectReference = z.strictObject({
  group: group.optional(),
  kind: kindName.optional(),
  namespace: namespaceName.optional(),
  name: objectName,
  port: portNumber.optional(),
});

/** A backend of a route; `needsPort` is of those where it is a Service. */
export const backendFields = { ...objectReference.shape, weight: int32.min(0).max(1_000_000).optional() };

export const needsPort = inCel(
  "(has(self.group) && self.group != '') || (has(self.kind) && self.kind != 'Service') || has(self.port)",
  (backend: {
    group?: string | undefined;
    kind?: string | undefined;
    port?: number | undefined;
  }): boolean => {
    const isService = (backend.group ?? '') === '' && (backend.kind ?? 'Service') === 'Service';
    return !isService || backend.port !== undefined;
  },
);

export const portOfService = {
  message: 'is required for a Service',
  path: ['port'],
  params: { isAboutPresence: true },
};

export const backendReference = z.strictObject(backendFields).refine(needsPort, portOfService);

export const labelSelector = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(
      z.strictObject({
        key: z.string(),
        operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: z.array(z.string()).optional(),
      }),
    )
    .optional(),
});

export const secretReference = z.strictObject({
  group: group.optional(),
  kind: kindName.optional(),
  name: objectName,
  namespace: namespaceName.optional(),
});

export const headerName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/, 'must be the name of a header');

/** Text compared with another: how, what it is called, what it must be. */
export const namedMatch = z.strictObject({
  type: z.enum(['Exact', 'RegularExpression']).optional(),
  name: headerName,
  value: z.string().min(1).max(4096),
});

const header = z.strictObject({ name: headerName, value: z.string().min(1).max(4096) });

export const headerModifier = z.strictObject({
  set: z.array(header).max(16).optional(),
  add: z.array(header).max(16).optional(),
  remove: z.array(z.string()).max(16).optional(),
});

export const mirror = z
  .strictObject({
    backendRef: objectReference.refine(needsPort, portOfService),
    percent: int32.min(0).max(100).optional(),
    fraction: z.strictObject({ numerator: int32.min(0), denominator: int32.min(1).optional() }).optional(),
  })
  .refine(({ percent, fraction }) => percent === undefined || fraction === undefined, {
    message: 'stands beside percent, but only one of the two may be set',
    path: ['fraction'],
    params: { isAboutPresence: true },
  });

export const localReference = z.strictObject({ group, kind: kindName, name: objectName });

export const sessionPersistence = z.strictObject({
  sessionName: z.string().max(128).optional(),
  absoluteTimeout: durationText.optional(),
  idleTimeout: durationText.optional(),
  type: z.enum(['Cookie', 'Header']).optional(),
  cookieConfig: z.strictObject({ lifetimeType: z.enum(['Permanent', 'Session']).optional() }).optional(),
});
