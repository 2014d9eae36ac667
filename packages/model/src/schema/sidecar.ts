// Sidecar: what a proxy listens on, and what it needs to know of the mesh.
import { z } from 'zod';
import { uint32 } from './fields.ts';
import { workloadSelector } from './selectors.ts';
import { serverTls } from './server-tls.ts';
import { sidecarPort } from './service-port.ts';
import { connectionPool } from './traffic-policy.ts';

const captureMode = z.enum(['DEFAULT', 'IPTABLES', 'NONE']);

const ingress = z.strictObject({
  port: sidecarPort,
  bind: z.string().optional(),
  captureMode: captureMode.optional(),
  defaultEndpoint: z.string().optional(),
  tls: serverTls.optional(),
  connectionPool: connectionPool.optional(),
});

const egress = z.strictObject({
  port: sidecarPort.optional(),
  bind: z.string().optional(),
  captureMode: captureMode.optional(),
  hosts: z.array(z.string()),
});

export const sidecarSpec = z.strictObject({
  workloadSelector: workloadSelector.optional(),
  ingress: z.array(ingress).optional(),
  egress: z.array(egress).optional(),
  inboundConnectionPool: connectionPool.optional(),
  outboundTrafficPolicy: z
    .strictObject({
      mode: z.enum(['REGISTRY_ONLY', 'ALLOW_ANY']).optional(),
      egressProxy: z
        .strictObject({
          host: z.string(),
          subset: z.string().optional(),
          port: z.strictObject({ number: uint32.optional() }).optional(),
        })
        .optional(),
    })
    .optional(),
});

export type SidecarSpec = Readonly<z.infer<typeof sidecarSpec>>;
