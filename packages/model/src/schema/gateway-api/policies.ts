// ReferenceGrant and BackendTLSPolicy of gateway.networking.k8s.io.
import { z } from 'zod';
import {
  group,
  kindName,
  localReference,
  namespaceName,
  objectName,
  preciseHostname,
  sectionName,
} from './common.ts';

export const referenceGrantSpec = z.strictObject({
  from: z
    .array(z.strictObject({ group, kind: kindName, namespace: namespaceName }))
    .min(1)
    .max(16),
  to: z
    .array(z.strictObject({ group, kind: kindName, name: objectName.optional() }))
    .min(1)
    .max(16),
});

const alternativeName = z
  .strictObject({
    type: z.enum(['Hostname', 'URI']),
    hostname: z.string().max(253).optional(),
    uri: z.string().max(253).optional(),
  })
  .refine(
    ({ type, hostname, uri }) =>
      type === 'Hostname'
        ? hostname !== undefined && uri === undefined
        : uri !== undefined && hostname === undefined,
    { message: 'must hold the one field that its type names', params: { isAboutPresence: true } },
  );

const validation = z
  .strictObject({
    caCertificateRefs: z.array(localReference).max(8).optional(),
    wellKnownCACertificates: z.string().max(253).optional(),
    hostname: preciseHostname,
    subjectAltNames: z.array(alternativeName).max(5).optional(),
  })
  .refine(
    ({ caCertificateRefs = [], wellKnownCACertificates = '' }) =>
      caCertificateRefs.length > 0 !== (wellKnownCACertificates !== ''),
    {
      message: 'must hold one of caCertificateRefs and wellKnownCACertificates',
      params: { isAboutPresence: true },
    },
  );

export const backendTlsPolicySpec = z.strictObject({
  targetRefs: z
    .array(localReference.extend({ sectionName: sectionName.optional() }))
    .min(1)
    .max(16),
  validation,
  options: z.record(z.string(), z.string().max(4096)).optional(),
});

export type ReferenceGrantSpec = Readonly<z.infer<typeof referenceGrantSpec>>;
export type BackendTlsPolicySpec = Readonly<z.infer<typeof backendTlsPolicySpec>>;
