// Kubernetes' own kinds, as far as a mesh reads them. Everything else in them is Kubernetes' affair, and let be.
import { z } from 'zod';
import { portNumber, textMap } from '../fields.ts';

const portNumberOrName = z.union([portNumber, z.string()]);

export const serviceSpec = z.looseObject({
  type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']).optional(),
  selector: textMap.nullable().optional(),
  clusterIP: z.string().optional(),
  externalName: z.string().optional(),
  ports: z
    .array(
      z.looseObject({
        name: z.string().optional(),
        port: portNumber,
        targetPort: portNumberOrName.optional(),
        protocol: z.enum(['TCP', 'UDP', 'SCTP']).optional(),
        appProtocol: z.string().nullable().optional(),
      }),
    )
    .nullable()
    .optional(),
});

export const endpointSliceBody = z.looseObject({
  addressType: z.enum(['IPv4', 'IPv6', 'FQDN']),
  endpoints: z
    .array(z.looseObject({ addresses: z.array(z.string()).max(100) }))
    .nullable()
    .optional(),
  ports: z
    .array(
      z.looseObject({
        name: z.string().nullable().optional(),
        port: portNumber.nullable().optional(),
        protocol: z.string().nullable().optional(),
        appProtocol: z.string().nullable().optional(),
      }),
    )
    .nullable()
    .optional(),
});

export const secretBody = z.looseObject({
  type: z.string().optional(),
  data: z.record(z.string(), z.base64()).nullable().optional(),
  stringData: textMap.nullable().optional(),
});

export const configMapBody = z.looseObject({ data: textMap.nullable().optional() });

/** Namespaces and service accounts: only their names and labels matter. */
export const anyBody = z.looseObject({});

const podTemplate = z.looseObject({
  metadata: z
    .looseObject({ labels: textMap.nullable().optional(), annotations: textMap.nullable().optional() })
    .nullable()
    .optional(),
  spec: z.looseObject({}).nullable().optional(),
});

/** Of workloads: Deployments and their like. */
export const workloadSpec = z.looseObject({ template: podTemplate.optional() });

export type ServiceSpec = Readonly<z.infer<typeof serviceSpec>>;
export type EndpointSliceBody = Readonly<z.infer<typeof endpointSliceBody>>;
export type SecretBody = Readonly<z.infer<typeof secretBody>>;
export type ConfigMapBody = Readonly<z.infer<typeof configMapBody>>;
export type WorkloadSpec = Readonly<z.infer<typeof workloadSpec>>;
export type AnyBody = Readonly<z.infer<typeof anyBody>>;
