// ServiceEntry: a service that the mesh does not know of itself.
import { z } from 'zod';
import { about, portNumber } from './fields.ts';
import { letsOneBeSet } from './rules.ts';
import { workloadSelector } from './selectors.ts';
import { workloadEntrySpec } from './workload-entry.ts';

const servicePort = z.strictObject({
  number: portNumber,
  protocol: z.string().max(256).optional(),
  name: z.string().max(256),
  targetPort: portNumber.optional(),
});

export const serviceEntrySpec = z
  .strictObject({
    hosts: z
      .array(
        z
          .string()
          .refine((host) => host !== '*', { message: 'must name a service; * stands for all of them' }),
      )
      .min(1)
      .max(256),
    addresses: z.array(z.string().max(64)).max(256).optional(),
    ports: z
      .array(servicePort)
      .max(256)
      .refine(
        (ports) => new Set(ports.map(({ number }) => number)).size === ports.length,
        about('has a number twice: each port stands once'),
      )
      .refine(
        (ports) => new Set(ports.map(({ name }) => name)).size === ports.length,
        about('has a name twice: each port has its own'),
      )
      .optional(),
    location: z.enum(['MESH_EXTERNAL', 'MESH_INTERNAL']).optional(),
    resolution: z.enum(['NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS']).optional(),
    endpoints: z.array(workloadEntrySpec).max(4096).optional(),
    workloadSelector: workloadSelector.optional(),
    exportTo: z.array(z.string()).optional(),
    subjectAltNames: z.array(z.string()).optional(),
  })
  .refine(
    letsOneBeSet(
      ['workloadSelector', 'endpoints'],
      ({ workloadSelector: chosen, endpoints }: { workloadSelector?: unknown; endpoints?: unknown }) =>
        chosen === undefined || endpoints === undefined,
    ),
    about('stands beside endpoints, but only one of the two may be set', 'workloadSelector'),
  )
  .refine(
    ({ addresses = [], resolution = 'NONE' }) =>
      ['NONE', 'STATIC'].includes(resolution) || !addresses.some((address) => address.includes('/')),
    about('may hold ranges of addresses only with the resolution NONE or STATIC', 'addresses'),
  )
  .refine(
    ({ endpoints, resolution = 'NONE' }) => resolution !== 'NONE' || endpoints === undefined,
    about("can't be used with the resolution NONE, which is also the default", 'endpoints'),
  )
  .refine(
    ({ endpoints = [], resolution }) => resolution !== 'DNS_ROUND_ROBIN' || endpoints.length <= 1,
    about('may have one item at most with the resolution DNS_ROUND_ROBIN', 'endpoints'),
  );

export type ServiceEntrySpec = Readonly<z.infer<typeof serviceEntrySpec>>;
