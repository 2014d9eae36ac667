// GatewayClass, Gateway and ListenerSet of gateway.networking.k8s.io.
import { z } from 'zod';
import { portNumber } from '../fields.ts';
import {
  group,
  hostname,
  kindName,
  labelSelector,
  namespaceName,
  objectName,
  objectReference,
  secretReference,
  sectionName,
} from './common.ts';

export const gatewayClassSpec = z.strictObject({
  controllerName: z
    .string()
    .max(253)
    .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/, 'must be like domain/path'),
  parametersRef: z
    .strictObject({ group, kind: kindName, name: objectName, namespace: namespaceName.optional() })
    .optional(),
  description: z.string().max(64).nullable().optional(),
});

const routeNamespaces = z.strictObject({
  from: z.enum(['All', 'Selector', 'Same', 'None']).optional(),
  selector: labelSelector.optional(),
});

const listener = z
  .strictObject({
    name: sectionName,
    hostname: hostname.optional(),
    port: portNumber,
    protocol: z
      .string()
      .min(1)
      .max(255)
      .regex(
        /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/[A-Za-z0-9]+$/,
        'must be HTTP, HTTPS, TLS, TCP, UDP or domain/name',
      ),
    tls: z
      .strictObject({
        mode: z.enum(['Terminate', 'Passthrough']).optional(),
        certificateRefs: z.array(secretReference).max(64).optional(),
        options: z.record(z.string(), z.string().max(4096)).optional(),
      })
      .optional(),
    allowedRoutes: z
      .strictObject({
        namespaces: routeNamespaces.optional(),
        kinds: z
          .array(z.strictObject({ group: group.optional(), kind: kindName }))
          .max(8)
          .optional(),
      })
      .optional(),
  })
  .refine(({ protocol, tls }) => tls === undefined || !['HTTP', 'TCP', 'UDP'].includes(protocol), {
    message: 'makes no sense with the protocols HTTP, TCP and UDP',
    path: ['tls'],
    params: { isAboutPresence: true },
  })
  .refine(({ protocol, hostname: host }) => host === undefined || !['TCP', 'UDP'].includes(protocol), {
    message: 'makes no sense with the protocols TCP and UDP',
    path: ['hostname'],
  })
  .refine(({ protocol, tls }) => protocol !== 'HTTPS' || tls?.mode !== 'Passthrough', {
    message: 'must be Terminate with the protocol HTTPS',
    path: ['tls', 'mode'],
  });

/** Refuses two listeners of one name, or of the same port, protocol and host. */
function areDistinct(listeners: readonly z.infer<typeof listener>[]): boolean {
  const names = new Set(listeners.map(({ name }) => name));
  const places = new Set(
    listeners.map(({ port, protocol, hostname: host }) => `${port} ${protocol} ${host ?? ''}`),
  );
  return names.size === listeners.length && places.size === listeners.length;
}

const listeners = z
  .array(listener)
  .min(1)
  .max(64)
  .refine(areDistinct, {
    message: 'has two listeners of one name, or of the same port, protocol and hostname',
    params: { isAboutPresence: true },
  });

const validation = z.strictObject({
  caCertificateRefs: z.array(objectReference).min(1).max(8),
  mode: z.enum(['AllowValidOnly', 'AllowInsecureFallback']).optional(),
});

const frontend = z.strictObject({ validation: validation.optional() });

export const kubernetesGatewaySpec = z.strictObject({
  gatewayClassName: objectName,
  listeners,
  addresses: z
    .array(z.strictObject({ type: z.string().max(253).optional(), value: z.string().max(253).optional() }))
    .max(16)
    .optional(),
  infrastructure: z
    .strictObject({
      labels: z.record(z.string(), z.string()).optional(),
      annotations: z.record(z.string(), z.string()).optional(),
      parametersRef: z.strictObject({ group, kind: kindName, name: objectName }).optional(),
    })
    .optional(),
  allowedListeners: z.strictObject({ namespaces: routeNamespaces.optional() }).optional(),
  tls: z
    .strictObject({
      backend: z.strictObject({ clientCertificateRef: secretReference.optional() }).optional(),
      frontend: z
        .strictObject({
          default: frontend,
          perPort: z
            .array(z.strictObject({ port: portNumber, tls: frontend }))
            .max(64)
            .optional(),
        })
        .optional(),
    })
    .optional(),
  defaultScope: z.enum(['All', 'None']).optional(),
});

export const listenerSetSpec = z.strictObject({
  parentRef: z.strictObject({
    group: group.optional(),
    kind: kindName.optional(),
    namespace: namespaceName.optional(),
    name: objectName,
  }),
  listeners,
});

export type GatewayClassSpec = Readonly<z.infer<typeof gatewayClassSpec>>;
export type KubernetesGatewaySpec = Readonly<z.infer<typeof kubernetesGatewaySpec>>;
export type ListenerSetSpec = Readonly<z.infer<typeof listenerSetSpec>>;
