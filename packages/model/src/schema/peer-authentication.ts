// PeerAuthentication: who may call a workload without a certificate of the mesh.
import { z } from 'zod';
import { about } from './fields.ts';
import { selector } from './selectors.ts';

const mtls = z.strictObject({ mode: z.enum(['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT']).optional() });

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

export const peerAuthenticationSpec = z
  .strictObject({
    selector: selector.optional(),
    mtls: mtls.optional(),
    portLevelMtls: z
      .record(z.string(), mtls)
      .refine((ports) => Object.keys(ports).length > 0, about('names no port'))
      .refine((ports) => Object.keys(ports).every(isPort), about('has a key that is no port: 1 to 65535'))
      .optional(),
  })
  .refine(
    ({ portLevelMtls, selector: chosen }) =>
      portLevelMtls === undefined || Object.keys(chosen?.matchLabels ?? {}).length > 0,
    about('needs a selector: ports are those of workloads', 'portLevelMtls'),
  );

export type PeerAuthenticationSpec = Readonly<z.infer<typeof peerAuthenticationSpec>>;
