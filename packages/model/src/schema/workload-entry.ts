// WorkloadEntry: one workload that no orchestrator lists.
import { z } from 'zod';
import { about, portNumber, textMap, uint32 } from './fields.ts';
import { notYet } from './support.ts';

const portName = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$/;

const unixScheme = 'unix://';

function isUnix(address: string | undefined): boolean {
  return address?.startsWith(unixScheme) === true;
}

/** A workload as templates write it: its address may come later. */
export const workloadTemplate = z
  .strictObject({
    address: z
      .string()
      .max(256)
      .refine((address) => !isUnix(address) || /^[/@]/.test(address.slice(unixScheme.length)), {
        message: 'must go on after unix:// with / or, for an abstract socket, with @',
      })
      .refine((address) => !isUnix(address) || !address.endsWith('/'), {
        message: 'must name a socket, not a directory',
      })
      .optional(),
    ports: z
      .record(z.string(), portNumber)
      .refine(
        (ports) => Object.keys(ports).every((name) => name.length < 63 && portName.test(name)),
        about('has the name of a port that is none: fewer than 63 letters, digits and -, no - at the ends'),
      )
      .optional(),
    labels: textMap.optional(),
    network: notYet('gateways between networks', z.string().max(2048)),
    locality: z.string().max(2048).optional(),
    weight: uint32.optional(),
    serviceAccount: z.string().max(253).optional(),
  })
  .refine(
    ({ address, ports }) => !isUnix(address) || ports === undefined,
    about('makes no sense for a Unix socket', 'ports'),
  );

export const workloadEntrySpec = workloadTemplate.refine(
  ({ address, network }) => address !== undefined || network !== undefined,
  about('is required unless the network says where the workload is', 'address'),
);

export type WorkloadEntrySpec = Readonly<z.infer<typeof workloadEntrySpec>>;
